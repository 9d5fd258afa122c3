/** A name from a file, quoted, escaped and short enough for a sentence. */
export function quoted(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 77)}...` : name);
}
