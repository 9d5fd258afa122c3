import type { Engine } from '../engine/engine';
import { SiteConvolution } from '../engine/site-convolution';
import type { SiteEvent } from '../graph/runtime';
import { siteLength } from '../families/site-shape';
import type { SiteFilter } from '../plan/site-filter';

/**
 * Output error of masked filters on real activations: each time the dense model runs a site, the masked and the re-causalised
 * convolution run on the same inputs, and the energies of the differences are summed. Gates and skip term are part of the output,
 * as the next layer sees it.
 */
export class OutputErrorMeter {
  private readonly sites = new Map<string, { readonly masked: SiteConvolution; readonly recausalised: SiteConvolution; masked2: number; recausalised2: number; dense2: number }>();

  static async create(engine: Engine, masked: ReadonlyMap<string, SiteFilter>, recausalised: ReadonlyMap<string, SiteFilter>, length: number): Promise<OutputErrorMeter> {
    const meter = new OutputErrorMeter();
    for (const [id, filter] of masked) {
      const samples = siteLength(filter.site, length);
      meter.sites.set(id, {
        masked: await SiteConvolution.prepare(engine, filter, samples),
        recausalised: await SiteConvolution.prepare(engine, recausalised.get(id)!, samples),
        masked2: 0, recausalised2: 0, dense2: 0,
      });
    }
    return meter;
  }

  async observe(event: SiteEvent): Promise<void> {
    const site = this.sites.get(event.site);
    if (!site) return;
    const output = new Float32Array(event.output.length);
    await site.masked.run({ ...event, input: event.u, output });
    site.masked2 += differenceEnergy(output, event.output);
    await site.recausalised.run({ ...event, input: event.u, output });
    site.recausalised2 += differenceEnergy(output, event.output);
    for (const value of event.output) site.dense2 += value * value;
  }

  /** ||y' - y|| / ||y|| over everything observed; null before anything was. */
  errors(site: string): { masked: number | null; recausalised: number | null } {
    const sums = this.sites.get(site);
    if (!sums || sums.dense2 === 0) return { masked: null, recausalised: null };
    return { masked: Math.sqrt(sums.masked2 / sums.dense2), recausalised: Math.sqrt(sums.recausalised2 / sums.dense2) };
  }

  free(): void {
    for (const { masked, recausalised } of this.sites.values()) {
      masked.free();
      recausalised.free();
    }
  }
}

function differenceEnergy(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
  return sum;
}
