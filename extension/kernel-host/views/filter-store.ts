import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { rmSync } from 'node:fs';
import type { Engine } from '../../core/engine/engine';
import { UserError } from '../../core/errors';
import type { LongConvModel, Site } from '../../core/families/model';
import { filterColumns } from '../../core/families/site-shape';
import type { ReportProgress } from '../../core/protocol/rpc';

/** Elements of one tile while a filter is materialised: bounds the memory, whatever H and L are. */
const TILE_ELEMENTS = 1 << 22;
/** Columns of the peak map kept for the channel x time heatmap. */
export const PEAK_COLUMNS = 1024;

let folder: Promise<string> | undefined;

/** Scratch folder of this process, removed when it exits. */
function scratchFolder(): Promise<string> {
  folder ??= fs.mkdtemp(path.join(os.tmpdir(), 'longconv-surgeon-')).then((created) => {
    process.once('exit', () => rmSync(created, { recursive: true, force: true }));
    return created;
  });
  return folder;
}

/**
 * A site's materialised filter [H, filterColumns(site)] on disk, float32 row-major, written once tile by tile and read by ranges: a filter of
 * 256 channels x 1,000,000 taps is 1 GB, of which the editor looks at one row and a few thousand columns at a time.
 */
export class FilterStore {
  private constructor(
    readonly site: Site,
    private readonly file: fs.FileHandle,
    /**
     * max |k| of each channel in each of PEAK_COLUMNS equal stretches of the lags, lowest lag first (fewer when there are fewer lags):
     * [H, columns].
     */
    readonly peaks: Float32Array,
    readonly peakColumns: number,
  ) {}

  static async create(model: LongConvModel, site: Site, engine: Engine, progress: ReportProgress): Promise<FilterStore> {
    const target = path.join(await scratchFolder(), `${crypto.randomUUID()}.f32`);
    const file = await fs.open(target, 'wx+');
    try {
      const { channels } = site;
      const taps = filterColumns(site);
      const negative = site.direction === 'bidirectional' ? site.taps : 0;
      const columns = Math.min(PEAK_COLUMNS, taps);
      const peaks = new Float32Array(channels * columns);
      const tile = Math.max(1, Math.min(taps, Math.floor(TILE_ELEMENTS / channels)));
      for (let first = 0; first < taps; first += tile) {
        const end = Math.min(taps, first + tile);
        const values = await model.filter(site.id, { channels: [0, channels], taps: [first, end] }, engine);
        const width = end - first;
        for (let c = 0; c < channels; c++) {
          const row = values.subarray(c * width, (c + 1) * width);
          await file.write(row, 0, row.byteLength, 4 * (c * taps + first));
          for (let j = 0; j < width; j++) {
            const place = (first + j + negative) % taps;
            const cell = c * columns + Math.floor((place * columns) / taps);
            const magnitude = Math.abs(row[j]);
            if (magnitude > peaks[cell]) peaks[cell] = magnitude;
          }
        }
        progress({ message: `filter of ${site.id}: tap ${end} of ${taps}`, fraction: end / taps });
      }
      return new FilterStore(site, file, peaks, columns);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Columns of a row; see Site.direction. */
  get columns(): number {
    return filterColumns(this.site);
  }

  /** Columns [first, end) of one channel. */
  async row(channel: number, first = 0, end = this.columns): Promise<Float32Array> {
    if (!(channel >= 0 && channel < this.site.channels)) {
      throw new UserError(`Channel ${channel} does not exist: ${this.site.id} has channels 0 to ${this.site.channels - 1}.`);
    }
    const out = new Float32Array(end - first);
    await this.file.read(out, 0, out.byteLength, 4 * (channel * this.columns + first));
    return out;
  }

  /** Whole rows of several channels: [channels.length, columns]. */
  async rows(channels: readonly number[]): Promise<Float32Array> {
    const out = new Float32Array(channels.length * this.columns);
    for (const [i, channel] of channels.entries()) out.set(await this.row(channel), i * this.columns);
    return out;
  }

  async close(): Promise<void> {
    await this.file.close();
  }
}

/** At most `count` channels, evenly spaced over all of them, first and last included. */
export function sampleChannels(channels: number, count: number): number[] {
  const n = Math.min(channels, Math.max(1, count));
  return Array.from({ length: n }, (_, i) => (n === 1 ? 0 : Math.round((i * (channels - 1)) / (n - 1))));
}
