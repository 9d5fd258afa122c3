import type { Engine } from '../engine/engine';
import { predictSeconds, SiteConvolution } from '../engine/site-convolution';
import { siteLength } from '../families/site-shape';
import type { SiteFilter } from '../plan/site-filter';
import type { SiteTimes } from './lab';
import { randomSignal } from './random-input';
import type { SiteReport } from './report';
import { compareSamples } from './speed';

/** The three filters of a site that are compared. */
export interface SiteVariants { readonly dense: SiteFilter; readonly masked: SiteFilter; readonly recausalised: SiteFilter }
export interface OutputErrors { readonly masked: number | null; readonly recausalised: number | null }

/**
 * Times of a site's convolution with each of its filters on white noise, for a run of `length` samples of the model, and the errors of its
 * output on that noise.
 */
export async function measureSite(
  { dense, masked, recausalised }: SiteVariants, length: number, engine: Engine, threads: number,
): Promise<{ readonly times: SiteTimes; readonly noiseErrors: OutputErrors }> {
  const { site } = masked;
  const samples = siteLength(site, length);
  const convolutions: SiteConvolution[] = [];
  try {
    for (const filter of [dense, masked, recausalised]) convolutions.push(await SiteConvolution.prepare(engine, filter, samples));
    const input = randomSignal(site.channels * samples);
    const output = new Float32Array(input.length);
    const run = (convolution: SiteConvolution, to: Float32Array): Promise<number> => convolution.run({ input, output: to, batch: 1, length: samples, threads });
    const times = await compareSamples(convolutions.map((convolution) => async () => 1e3 * (await run(convolution, output))));
    const predict = (filter: SiteFilter): number => predictSeconds(engine, filter, 1, samples, threads);
    return {
      times: {
        dense: times[0], masked: times[1], recausalised: times[2], predictedSpeedup: predict(dense) / predict(masked),
        algorithms: { dense: convolutions[0].algorithms, masked: convolutions[1].algorithms },
      },
      noiseErrors: await noiseErrors(convolutions, run, output),
    };
  } finally {
    for (const convolution of convolutions) convolution.free();
  }
}

/** A site's entry of the report from what was measured of it. */
export function siteReport({ site, measures }: SiteFilter, times: SiteTimes, errors: OutputErrors): SiteReport {
  return {
    site: site.id, channels: site.channels, taps: site.taps, direction: site.direction, ...measures,
    outputError: errors.masked, recausalisedOutputError: errors.recausalised,
    ...times, measuredSpeedup: times.dense.median_ms / times.masked.median_ms,
  };
}

/** ||y' - y|| / ||y|| of the masked and the re-causalised output; null where the dense one is all zero. */
async function noiseErrors(
  [dense, ...others]: readonly SiteConvolution[], run: (convolution: SiteConvolution, to: Float32Array) => Promise<number>, output: Float32Array,
): Promise<OutputErrors> {
  const expected = new Float32Array(output.length);
  await run(dense, expected);
  const errors: (number | null)[] = [];
  for (const convolution of others) {
    await run(convolution, output);
    let [difference, energy] = [0, 0];
    for (let i = 0; i < output.length; i++) {
      difference += (output[i] - expected[i]) ** 2;
      energy += expected[i] ** 2;
    }
    errors.push(energy > 0 ? Math.sqrt(difference / energy) : null);
  }
  return { masked: errors[0], recausalised: errors[1] };
}
