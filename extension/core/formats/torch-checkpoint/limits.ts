/** Bytes of a pickle, which holds names and sizes only: weights lie outside it. */
export const LARGEST_PICKLE = 256 << 20;
