/** Which points no other beats: a point is beaten by one that is at least as fast and at least as good, and better in one of the two. */
export function paretoFront(points: readonly { readonly speedup: number; readonly loss: number }[]): boolean[] {
  return points.map((point) => !points.some((other) =>
    other.speedup >= point.speedup && other.loss <= point.loss && (other.speedup > point.speedup || other.loss < point.loss)));
}
