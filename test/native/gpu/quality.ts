/** Prints the quality of a plan on the GPU that the addon finds, in float16 and in float32, and on the processor, as JSON. usage: quality.ts PLAN DATA LENGTH */
import { loadSamples } from '../../../extension/core/data/load-samples';
import { GpuLab } from '../../../extension/core/gpu/lab';
import { CpuLab } from '../../../extension/core/validation/cpu-lab';
import { chooseDevice } from '../../../extension/kernel-host/devices';
import { host } from '../../../extension/kernel-host/host';
import { changedFilters, openSurgery, standingFilters } from '../../../extension/kernel-host/surgery';

async function main([plan, data, size]: readonly string[]): Promise<void> {
  const { engine, sessions, models } = host();
  const surgery = await openSurgery(models, plan);
  const { model } = surgery;
  const { samples, length } = await loadSamples(data, model, Number(size));
  const filters = {
    dense: await standingFilters(model, engine), masked: await changedFilters(surgery, engine, false), recausalised: await changedFilters(surgery, engine, true),
  };
  const setup = { graph: await model.graph(), filters, length, vocabulary: model.vocabularySize };
  const half = chooseDevice(engine, 'cuda').gpu!, single = chooseDevice(engine, 'cuda', undefined, 'f32').gpu!;
  const labs = { half: await GpuLab.create({ ...setup, ...half }), single: await GpuLab.create({ ...setup, ...single }), cpu: await CpuLab.create({ ...setup, engine, sessions, threads: 2 }) };
  const result: Record<string, unknown> = {};
  for (const [name, lab] of Object.entries(labs)) {
    const { dense, masked, outputError } = await lab.quality(samples.slice(0, 1), () => undefined);
    const sites = surgery.plan.sites.map(({ site }) => lab.outputErrors(site).masked);
    result[name] = { dense: dense.quality(), masked: masked.maskedQuality(dense), outputError, sites };
    await lab.dispose();
  }
  result.leftBytes = half.gpu.memory({ resetPeak: 0 }).usedBytes;
  console.log(JSON.stringify(result));
  process.exit(0);
}

void main(process.argv.slice(2));
