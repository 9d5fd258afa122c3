import { rmSync } from 'node:fs';

const unfinished = new Set<string>();

/** Notes a file or folder that is not yet what the user asked for; returns its path. */
export function begun(file: string): string {
  unfinished.add(file);
  return file;
}

/** Forgets it: it has its final name, or is gone. */
export function ended(file: string): void {
  unfinished.delete(file);
}

/** Removes all that is unfinished: for a process that is about to end, so nothing here waits. */
export function removeUnfinished(): void {
  for (const file of unfinished) {
    try {
      rmSync(file, { recursive: true, force: true });
    } catch {
      // What cannot be removed stays; the process ends all the same.
    }
  }
}
