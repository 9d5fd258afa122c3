import { filterOfRun, formOfRun } from '../plan/filter-of-run';
import type { SiteFilter } from '../plan/site-filter';
import type { Engine, PreparedConvolution } from './engine';
import { type KernelForm, kernelForm, kernelRows, kernelSeconds } from './kernel-form';
import { runMoved } from './moved-convolution';

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

interface PreparedPart {
  readonly first: number;
  readonly form: KernelForm;
  readonly prepared: PreparedConvolution;
}

/** A site's convolution ready to run: one prepared kernel for each channel range of its filter. */
export class SiteConvolution {
  private constructor(private readonly channels: number, private readonly parts: readonly PreparedPart[]) {}

  /** `maxLength`: longest input that will be run, in samples; the exact length where the filter is bound to one (plan/longest-input.ts). */
  static async prepare(engine: Engine, filter: SiteFilter, maxLength: number): Promise<SiteConvolution> {
    const parts: PreparedPart[] = [];
    for (const part of filterOfRun(filter, maxLength).parts) {
      const form = kernelForm(engine, part, maxLength);
      parts.push({ first: part.channels[0], form, prepared: await engine.prepare(form.spec, kernelRows(form, part)) });
    }
    return new SiteConvolution(filter.site.channels, parts);
  }

  /** Resolves with the seconds that the kernels took. */
  async run(call: SiteCall): Promise<number> {
    let seconds = 0;
    for (const { first, form, prepared } of this.parts) {
      seconds += await (form.shift > 0 ? runMoved(prepared, form, first, this.channels, call) : prepared.run({ ...call, totalChannels: this.channels, firstChannel: first }));
    }
    return seconds;
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
  return filter.parts.reduce((sum, part) => sum + kernelSeconds(engine, kernelForm(engine, formOfRun(filter.site, part, length), length), batch, length, threads), 0);
}
