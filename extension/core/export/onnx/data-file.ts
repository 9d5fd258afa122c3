import * as fs from 'node:fs/promises';
import * as path from 'node:path';

/**
 * Where changed tensors go of a model that keeps its data beside it, and where those of earlier exports to the same name are: OUT.data,
 * OUT.1.data ... These are read by what they belong to until the new export takes its place, so a new one never has the name of an old one.
 */
export async function dataFileOf(output: string): Promise<{ readonly file: string; readonly earlier: readonly string[] }> {
  const { dir, base } = path.parse(path.resolve(output));
  const nameOf = (number: number): string => (number === 0 ? `${base}.data` : `${base}.${number}.data`);
  const present = new Set(await fs.readdir(dir));
  let free = 0;
  while (present.has(nameOf(free))) free++;
  const isData = (name: string): boolean => name.startsWith(`${base}.`) && /^(\d+\.)?data$/.test(name.slice(base.length + 1));
  return { file: path.join(dir, nameOf(free)), earlier: [...present].filter(isData).map((name) => path.join(dir, name)) };
}
