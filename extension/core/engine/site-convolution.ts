import type { SiteFilter } from '../plan/site-filter';
import type { ConvolutionSpec, Engine, PreparedConvolution } from './engine';

export interface SiteCall {
  /** [batch, H, length] */
  readonly input: Float32Array;
  readonly output: Float32Array;
  readonly batch: number;
  readonly length: number;
  readonly preGate?: Float32Array;
  readonly postGate?: Float32Array;
  /** [H] */
  readonly skip?: Float32Array;
  readonly threads?: number;
}

/** A site's convolution ready to run: one prepared kernel for each channel range of its filter. */
export class SiteConvolution {
  private constructor(
    private readonly channels: number,
    private readonly parts: readonly { readonly first: number; readonly prepared: PreparedConvolution }[],
  ) {}

  /** `maxLength`: longest input that will be run, in samples. */
  static async prepare(engine: Engine, filter: SiteFilter, maxLength: number): Promise<SiteConvolution> {
    const parts: { first: number; prepared: PreparedConvolution }[] = [];
    for (const part of filter.parts) {
      parts.push({ first: part.channels[0], prepared: await engine.prepare(partSpec(part, maxLength), part.rows) });
    }
    return new SiteConvolution(filter.site.channels, parts);
  }

  async run(call: SiteCall): Promise<void> {
    for (const { first, prepared } of this.parts) {
      await prepared.run({ ...call, totalChannels: this.channels, firstChannel: first });
    }
  }

  /** Names of the kernels that run, without repetition. */
  get algorithms(): string {
    return [...new Set(this.parts.map((part) => part.prepared.prediction.algorithm))].join(' + ');
  }

  free(): void {
    for (const { prepared } of this.parts) prepared.free();
  }
}

/** The cost model's seconds for one run of the site. */
export function predictSeconds(engine: Engine, filter: SiteFilter, batch: number, length: number, threads: number): number {
  return filter.parts.reduce((sum, part) => sum + engine.predict(partSpec(part, length), batch, length, threads).seconds, 0);
}

function partSpec(part: SiteFilter['parts'][number], maxLength: number): ConvolutionSpec {
  return { channels: part.channels[1] - part.channels[0], mode: part.mode, filterLength: part.filterLength, maxLength, grid: part.grid };
}
