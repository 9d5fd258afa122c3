/** The smallest single replacement that turns one text into another; null when they are equal. Offsets in UTF-16 units, half open. */
export function textChange(before: string, after: string): { readonly start: number; readonly end: number; readonly text: string } | null {
  if (before === after) return null;
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before[start] === after[start]) start++;
  let tail = 0;
  while (tail < shorter - start && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail++;
  return { start, end: before.length - tail, text: after.slice(start, after.length - tail) };
}
