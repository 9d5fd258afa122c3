import * as fs from 'node:fs/promises';
import * as path from 'node:path';

const PRELOAD = path.join(__dirname, 'note-peak-memory.cjs');

/** Environment in which a command and the Node processes that it starts note their memory in a folder. */
export const notingPeakMemory = (folder: string): NodeJS.ProcessEnv =>
  ({ ...process.env, NODE_OPTIONS: `--require ${JSON.stringify(PRELOAD)}`, PEAK_MEMORY_FOLDER: folder });

/** Peak of resident memory of every process that noted it, in bytes. */
export async function peaksNoted(folder: string): Promise<number[]> {
  const texts = await Promise.all((await fs.readdir(folder)).map((name) => fs.readFile(path.join(folder, name), 'utf8')));
  return texts.map((text) => 1024 * Number(text));
}
