/**
 * Perceptually even, colour-blind-safe map (matplotlib's "viridis", sampled at nine points and interpolated in RGB):
 * 0 is the darkest, 1 the brightest.
 */
const VIRIDIS = [
  [68, 1, 84], [71, 44, 122], [59, 81, 139], [44, 113, 142], [33, 144, 141], [39, 173, 129], [92, 200, 99], [170, 220, 50], [253, 231, 37],
] as const;

/** 256 entries of r, g, b. */
export const COLOUR_TABLE: Uint8ClampedArray = (() => {
  const table = new Uint8ClampedArray(256 * 3);
  for (let i = 0; i < 256; i++) {
    const place = (i / 255) * (VIRIDIS.length - 1);
    const left = Math.min(VIRIDIS.length - 2, Math.floor(place));
    const share = place - left;
    for (let c = 0; c < 3; c++) table[i * 3 + c] = VIRIDIS[left][c] * (1 - share) + VIRIDIS[left + 1][c] * share;
  }
  return table;
})();

/** Table entry of a level in dB between `floor` (0) and 0 dB (255). */
export const colourIndex = (level: number, floor: number): number => Math.max(0, Math.min(255, Math.round((1 - level / floor) * 255)));

export function colourOf(level: number, floor: number): string {
  const at = colourIndex(level, floor) * 3;
  return `rgb(${COLOUR_TABLE[at]}, ${COLOUR_TABLE[at + 1]}, ${COLOUR_TABLE[at + 2]})`;
}
