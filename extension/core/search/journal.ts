import * as fs from 'node:fs/promises';
import { writeFileAtomically } from '../io/atomic-file';

interface JournalFile<Row> { readonly key: string; readonly rows: readonly Row[] }

/**
 * The finished rows of a long job on disk, so that a cancelled or killed one goes on where it ended. A journal belongs to one key (model,
 * data and whatever else changes results); a file with another key, or a damaged one, is begun anew.
 */
export class Journal<Row> {
  private constructor(private readonly path: string | undefined, private readonly key: string, private readonly list: Row[]) {}

  /** Without a path nothing is kept. `fresh` forgets what an earlier run left. */
  static async open<Row>(path: string | undefined, key: string, fresh: boolean): Promise<Journal<Row>> {
    return new Journal<Row>(path, key, path === undefined || fresh ? [] : await readRows<Row>(path, key));
  }

  get rows(): readonly Row[] {
    return this.list;
  }

  async add(row: Row): Promise<void> {
    this.list.push(row);
    if (this.path !== undefined) {
      const file: JournalFile<Row> = { key: this.key, rows: this.list };
      await writeFileAtomically(this.path, JSON.stringify(file));
    }
  }

  /** The job is complete: there is nothing left to go on with. */
  async close(): Promise<void> {
    if (this.path !== undefined) {
      await fs.rm(this.path, { force: true });
    }
  }
}

async function readRows<Row>(path: string, key: string): Promise<Row[]> {
  let text: string;
  try {
    text = await fs.readFile(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw cause;
  }
  try {
    const file = JSON.parse(text) as JournalFile<Row>;
    return file.key === key && Array.isArray(file.rows) ? [...file.rows] : [];
  } catch {
    // Not a journal: the job begins anew, and its first row replaces the file.
    return [];
  }
}
