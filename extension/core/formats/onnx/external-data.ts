import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { readFailure } from '../read-failure';
import { PagedFile } from './paged-file';
import { tensorBytes } from './parse-tensor';
import type { RefuseOnnx } from './refusal';
import type { ExternalLocation, OnnxTensor } from './structure';

const STAY_INSIDE = 'Keep the data files in the model\'s folder, and name them by relative paths.';
/** Data files of one model; exporters write one, or one for each tensor. */
const MOST_FILES = 1 << 16;

/**
 * The data files beside a model. Locations are relative paths with forward slashes that stay inside the model's folder, links
 * followed; anything else is refused before a byte is read, as ONNX Runtime does.
 */
export class ExternalData {
  private readonly sizes = new Map<string, number>();
  private readonly open = new Map<string, PagedFile>();

  private constructor(private readonly folder: string) {}

  /** Checks every external tensor's place. Refuses locations outside the folder, missing files, and ranges beyond their end. */
  static async check(modelPath: string, tensors: Iterable<OnnxTensor>, refuse: RefuseOnnx): Promise<ExternalData> {
    const data = new ExternalData(path.dirname(modelPath));
    for (const tensor of tensors) if (tensor.external) await data.checkOne(tensor, tensor.external, refuse);
    return data;
  }

  /** Names of the data files, as the model gives them, in order of appearance. */
  get locations(): string[] {
    return [...this.sizes.keys()];
  }

  absolute(location: string): string {
    return path.join(this.folder, ...location.split('/'));
  }

  /** The file of a checked location. */
  file(location: string): PagedFile {
    let file = this.open.get(location);
    if (!file) {
      // A model may have more data files than a process may have open.
      if (this.open.size >= 64) this.close();
      file = PagedFile.open(this.absolute(location));
      this.open.set(location, file);
    }
    return file;
  }

  close(): void {
    for (const file of this.open.values()) file.close();
    this.open.clear();
  }

  private async checkOne(tensor: OnnxTensor, { location, offset, length }: ExternalLocation, refuse: RefuseOnnx): Promise<void> {
    const at = tensor.span.fieldStart;
    const named = `the data of ${JSON.stringify(tensor.name.slice(0, 80))}`;
    const size = await this.size(location, at, named, refuse);
    const bytes = tensorBytes(tensor);
    if (length !== undefined && length !== bytes) {
      refuse('ExternalData', at, `${named} takes ${bytes} bytes, but ${length} are given for it in ${JSON.stringify(location)}`);
    }
    if (offset + bytes > size) {
      refuse('ExternalData', at, `${named} ends at byte ${offset + bytes} of ${JSON.stringify(location)}, which has only ${size}`, 'Copy the data file again.');
    }
  }

  private async size(location: string, at: number, named: string, refuse: RefuseOnnx): Promise<number> {
    const known = this.sizes.get(location);
    if (known !== undefined) return known;
    const shown = JSON.stringify(location.slice(0, 120));
    const parts = location.split('/');
    if (location.includes('\\') || location.includes('\0') || path.posix.isAbsolute(location) || /^[A-Za-z]:/.test(location) || parts.includes('..')) {
      refuse('ExternalData', at, `${named} is said to be in ${shown}, which is not a path inside the model's folder`, STAY_INSIDE);
    }
    if (this.sizes.size >= MOST_FILES) refuse('ExternalData', at, `the model names more than ${MOST_FILES} data files`);
    const target = this.absolute(location);
    const real = await fs.realpath(target).catch((cause: unknown) => {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') {
        refuse('ExternalData', at, `${named} is in the file ${shown}, which is not there`, 'Copy the model together with its data files.');
      }
      throw readFailure(target, cause);
    });
    const inside = path.relative(await fs.realpath(this.folder), real);
    if (inside.startsWith('..') || path.isAbsolute(inside)) refuse('ExternalData', at, `${named} is in ${shown}, a link that leaves the model's folder`, STAY_INSIDE);
    const stat = await fs.stat(real);
    if (!stat.isFile()) refuse('ExternalData', at, `${named} is said to be in ${shown}, which is not a regular file`);
    this.sizes.set(location, stat.size);
    return stat.size;
  }
}
