import * as fs from 'node:fs/promises';
import * as path from 'node:path';

const PRELOAD = path.join(__dirname, 'note-peak-memory.cjs');

/** Environment in which a command and the Node processes that it starts note their memory in a folder. */
export const notingPeakMemory = (folder: string): NodeJS.ProcessEnv =>
  ({ ...process.env, NODE_OPTIONS: `--require ${JSON.stringify(PRELOAD)}`, PEAK_MEMORY_FOLDER: folder });

/** Peak of resident memory of every process that noted it, in bytes. */
export const peaksNoted = async (folder: string): Promise<number[]> => (await noted(folder)).map(([kibibytes]) => 1024 * kibibytes);

/** Processor time of all of them, in seconds. */
export const processorSecondsNoted = async (folder: string): Promise<number> => (await noted(folder)).reduce((sum, [, milliseconds]) => sum + milliseconds / 1000, 0);

async function noted(folder: string): Promise<number[][]> {
  const texts = await Promise.all((await fs.readdir(folder)).map((name) => fs.readFile(path.join(folder, name), 'utf8')));
  return texts.map((text) => text.trim().split(/ +/).map(Number));
}
