import type { Engine } from '../engine/engine';
import { predictSeconds, SiteConvolution } from '../engine/site-convolution';
import { siteLength } from '../families/site-shape';
import type { SiteFilter } from '../plan/site-filter';
import type { SiteTimes } from './lab';
import { randomSignal } from './random-input';
import type { SiteReport } from './report';
import { compareTimes } from './speed';

/** The three filters of a site that are compared: dense, masked, re-causalised. */
export type SiteVariants = readonly [dense: SiteFilter, masked: SiteFilter, recausalised: SiteFilter];
type Run = (convolution: SiteConvolution, output: Float32Array) => Promise<void>;

/** Times of a site's convolution with each of its filters on white noise, for a run of `length` samples of the model. */
export function timeVariants(variants: SiteVariants, length: number, engine: Engine, threads: number): Promise<SiteTimes> {
  return withConvolutions(variants, length, engine, threads, (convolutions, run, output) => measured(variants, convolutions, run, output, length, engine, threads));
}

/** The report of a site of which nothing but its filters is known: output errors are those on white noise. */
export function noiseReport(variants: SiteVariants, length: number, engine: Engine, threads: number): Promise<SiteReport> {
  return withConvolutions(variants, length, engine, threads, async (convolutions, run, output) => {
    const times = await measured(variants, convolutions, run, output, length, engine, threads);
    const [, { site, measures }] = variants;
    const [outputError, recausalisedOutputError] = await noiseErrors(convolutions, run, output);
    return {
      site: site.id, channels: site.channels, taps: site.taps, direction: site.direction, ...measures, outputError, recausalisedOutputError,
      ...times, measuredSpeedup: times.dense.median_ms / times.masked.median_ms,
    };
  });
}

async function withConvolutions<T>(
  variants: SiteVariants, length: number, engine: Engine, threads: number, use: (convolutions: readonly SiteConvolution[], run: Run, output: Float32Array) => Promise<T>,
): Promise<T> {
  const [{ site }] = variants;
  const samples = siteLength(site, length);
  const convolutions: SiteConvolution[] = [];
  try {
    for (const filter of variants) convolutions.push(await SiteConvolution.prepare(engine, filter, samples));
    const input = randomSignal(site.channels * samples);
    return await use(convolutions, (convolution, output) => convolution.run({ input, output, batch: 1, length: samples, threads }), new Float32Array(input.length));
  } finally {
    for (const convolution of convolutions) convolution.free();
  }
}

async function measured(
  variants: SiteVariants, convolutions: readonly SiteConvolution[], run: Run, output: Float32Array, length: number, engine: Engine, threads: number,
): Promise<SiteTimes> {
  const [dense, masked, recausalised] = await compareTimes(convolutions.map((convolution) => () => run(convolution, output)));
  const predict = (filter: SiteFilter): number => predictSeconds(engine, filter, 1, siteLength(filter.site, length), threads);
  return {
    dense, masked, recausalised, predictedSpeedup: predict(variants[0]) / predict(variants[1]),
    algorithms: { dense: convolutions[0].algorithms, masked: convolutions[1].algorithms },
  };
}

/** ||y' - y|| / ||y|| of the masked and the re-causalised output; null where the dense one is all zero. */
async function noiseErrors([dense, ...others]: readonly SiteConvolution[], run: Run, output: Float32Array): Promise<(number | null)[]> {
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
  return errors;
}
