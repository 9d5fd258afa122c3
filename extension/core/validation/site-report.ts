import type { Engine } from '../engine/engine';
import { predictSeconds, SiteConvolution } from '../engine/site-convolution';
import { siteLength } from '../families/site-shape';
import type { SiteFilter } from '../plan/site-filter';
import type { DeviceInfo, SiteReport } from './report';
import { compareTimes } from './speed';
import { mulberry32 } from './statistics';

/** The three filters of a site that are compared. */
export interface SiteVariants { readonly dense: SiteFilter; readonly masked: SiteFilter; readonly recausalised: SiteFilter }
export interface OutputErrors { readonly masked: number | null; readonly recausalised: number | null }

/**
 * Times of a site's convolution with each of its filters on white noise, for a run of `length` samples of the model, beside what is known
 * of its errors. `errors`: those of real activations; 'noise' measures them on the noise itself.
 */
export async function siteReport({ dense, masked, recausalised }: SiteVariants, length: number, engine: Engine, device: DeviceInfo, errors: OutputErrors | 'noise'): Promise<SiteReport> {
  const { site, measures } = masked;
  const samples = siteLength(site, length);
  const convolutions: SiteConvolution[] = [];
  try {
    for (const filter of [dense, masked, recausalised]) convolutions.push(await SiteConvolution.prepare(engine, filter, samples));
    const input = randomSignal(site.channels * samples);
    const output = new Float32Array(input.length);
    const run = (convolution: SiteConvolution, to: Float32Array): Promise<void> => convolution.run({ input, output: to, batch: 1, length: samples, threads: device.threads });
    const times = await compareTimes(convolutions.map((convolution) => () => run(convolution, output)));
    const known = errors === 'noise' ? await noiseErrors(convolutions, run, output) : errors;
    const predict = (filter: SiteFilter): number => predictSeconds(engine, filter, 1, samples, device.threads);
    return {
      site: site.id, channels: site.channels, taps: site.taps, direction: site.direction, ...measures,
      outputError: known.masked, recausalisedOutputError: known.recausalised,
      dense: times[0], masked: times[1], recausalised: times[2],
      predictedSpeedup: predict(dense) / predict(masked), measuredSpeedup: times[0].median_ms / times[1].median_ms,
      algorithms: { dense: convolutions[0].algorithms, masked: convolutions[1].algorithms },
    };
  } finally {
    for (const convolution of convolutions) convolution.free();
  }
}

/** ||y' - y|| / ||y|| of the masked and the re-causalised output; null where the dense one is all zero. */
async function noiseErrors(
  [dense, ...others]: readonly SiteConvolution[], run: (convolution: SiteConvolution, to: Float32Array) => Promise<void>, output: Float32Array,
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

/** Uniform on [-1, 1): never zeros, which could run faster than real data. */
function randomSignal(length: number): Float32Array {
  const random = mulberry32(2);
  return Float32Array.from({ length }, () => 2 * random() - 1);
}
