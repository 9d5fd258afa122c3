import * as fs from 'node:fs/promises';
import * as os from 'node:os';
import * as path from 'node:path';
import { rmSync } from 'node:fs';
import type { Engine } from '../../core/engine/engine';
import { UserError } from '../../core/errors';
import type { LongConvModel, Site } from '../../core/families/model';
import { filterColumns } from '../../core/families/site-shape';

/** Elements of one tile while a filter is materialised: bounds the memory, whatever H and L are. */
const TILE_ELEMENTS = 1 << 22;
/** Columns of the peak map kept for the channel x time heatmap. */
export const PEAK_COLUMNS = 1024;

/** Results that are kept of each site, those of one step of a drag and some of the step before: spectra and rows of 2 to 4 MB at 2^20 points, what plots show. */
const KEPT_RESULTS = 8;

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
 * A site's materialised filter [H, filterColumns(site)] on disk, float32 row-major, each block of rows made when one of them is first asked for, and
 * read by ranges: a filter of 256 channels x 1,000,000 taps is 1 GB, of which the editor looks at a few rows and a few thousand columns at a time.
 */
export class FilterStore {
  private readonly blocks: (Promise<void> | undefined)[] = [];
  /** Rows of a block. Generated filters share the work of a position between all channels; stored and modal ones are made row by row. */
  private readonly blockRows: number;
  /** Columns of `peaks`; fewer than PEAK_COLUMNS when there are fewer lags. */
  readonly peakColumns: number;
  private readonly madePeaks: Float32Array;
  private questions = 0;
  private readonly kept = new Map<string, Promise<unknown>>();

  private constructor(readonly site: Site, private readonly model: LongConvModel, private readonly engine: Engine, private readonly file: fs.FileHandle) {
    this.blockRows = site.storage === 'implicit' ? site.channels : Math.max(1, Math.floor(TILE_ELEMENTS / filterColumns(site)));
    this.peakColumns = Math.min(PEAK_COLUMNS, filterColumns(site));
    this.madePeaks = new Float32Array(site.channels * this.peakColumns);
  }

  static async create(model: LongConvModel, site: Site, engine: Engine): Promise<FilterStore> {
    return new FilterStore(site, model, engine, await fs.open(path.join(await scratchFolder(), `${crypto.randomUUID()}.f32`), 'wx+'));
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
    await this.made(Math.floor(channel / this.blockRows));
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

  /**
   * Whole rows of the channels [first, end). Stored filters come straight from the model's file, where they are as quick to read as in the scratch
   * file: what passes over all channels of a long filter need not copy it.
   */
  async stretch(first: number, end: number): Promise<Float32Array> {
    const channels = Array.from({ length: end - first }, (_, i) => first + i);
    return this.site.storage === 'explicit' ? this.model.filter(this.site.id, { channels: [first, end], taps: [0, this.columns] }, this.engine) : this.rows(channels);
  }

  /** Called when newer figures are wanted; gives what tells whether still newer ones have been asked for since. */
  newQuestion(): () => boolean {
    const question = ++this.questions;
    return () => question !== this.questions;
  }

  /** max |k| of each channel in each of `peakColumns` equal stretches of the lags, lowest lag first: [H, peakColumns]. Makes the whole filter. */
  async peaks(): Promise<Float32Array> {
    for (let block = 0; block * this.blockRows < this.site.channels; block++) await this.made(block);
    return this.madePeaks;
  }

  /** What was computed of the filter under this key, or what `compute` gives; the last few are kept, for drags that ask again and again. */
  keep<T>(key: string, compute: () => Promise<T>): Promise<T> {
    const known = this.kept.get(key) ?? compute();
    this.kept.delete(key);
    this.kept.set(key, known);
    known.catch(() => this.kept.delete(key));
    if (this.kept.size > KEPT_RESULTS) this.kept.delete(this.kept.keys().next().value!);
    return known as Promise<T>;
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.blocks.filter((block) => block !== undefined));
    await this.file.close();
  }

  private made(block: number): Promise<void> {
    const making = this.blocks[block] ?? this.make(block * this.blockRows, Math.min(this.site.channels, (block + 1) * this.blockRows));
    this.blocks[block] = making;
    making.catch(() => { this.blocks[block] = undefined; });
    return making;
  }

  /** Makes the rows [top, bottom), a stretch of lags at a time. */
  private async make(top: number, bottom: number): Promise<void> {
    const { site, columns, peakColumns } = this;
    const negative = site.direction === 'bidirectional' ? site.taps : 0;
    const tile = Math.max(1, Math.min(columns, Math.floor(TILE_ELEMENTS / (bottom - top))));
    for (let first = 0; first < columns; first += tile) {
      const end = Math.min(columns, first + tile);
      const values = await this.model.filter(site.id, { channels: [top, bottom], taps: [first, end] }, this.engine);
      const width = end - first;
      for (let c = top; c < bottom; c++) {
        const row = values.subarray((c - top) * width, (c - top + 1) * width);
        await this.file.write(row, 0, row.byteLength, 4 * (c * columns + first));
        raisePeaks(this.madePeaks.subarray(c * peakColumns, (c + 1) * peakColumns), row, (first + negative) % columns, columns);
      }
    }
  }
}

/** Raises the peaks of one channel by a piece of its row, of which the first value stands at `place` of the `columns` that the peaks cover; the row may wrap around. */
function raisePeaks(peaks: Float32Array, row: Float32Array, place: number, columns: number): void {
  for (let j = 0; j < row.length;) {
    const peak = Math.floor((place * peaks.length) / columns);
    const stretch = Math.min(row.length - j, Math.ceil(((peak + 1) * columns) / peaks.length) - place);
    for (const end = j + stretch; j < end; j++) {
      const magnitude = Math.abs(row[j]);
      if (magnitude > peaks[peak]) peaks[peak] = magnitude;
    }
    place = (place + stretch) % columns;
  }
}

/** At most `count` channels, evenly spaced over all of them, first and last included. */
export function sampleChannels(channels: number, count: number): number[] {
  const n = Math.min(channels, Math.max(1, count));
  return Array.from({ length: n }, (_, i) => (n === 1 ? 0 : Math.round((i * (channels - 1)) / (n - 1))));
}
