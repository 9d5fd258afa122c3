/** ||a - b|| / ||b||; 0 only where all values are equal, NaN where either has one or their counts differ. */
export function relativeDifference(a: ArrayLike<number | bigint>, b: ArrayLike<number | bigint>): number {
  if (a.length !== b.length) return NaN;
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < b.length; i++) {
    difference += (Number(a[i]) - Number(b[i])) ** 2;
    norm += Number(b[i]) ** 2;
  }
  return difference === 0 ? 0 : Math.sqrt(difference / norm);
}
