// npx tsx test/benchmarks/path-512.ts [SIDE] [KIND...]: models that read an image of SIDE x SIDE pixels (512) as a sequence, with random weights: time, processor time and most
// resident memory (command line and kernel host together) of the built command line's `forward` and `validate`, and the time of a site's filters.
// `taskset -c 0` before it: one thread.
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { openModel } from '../../extension/core/families/registry';
import { loadEngine } from '../../extension/kernel-host/addon';
import { run } from '../unit/cli/cli';
import { measuredCli } from '../unit/cli/measured-cli';
import { processorSecondsNoted } from '../unit/support/peak-memory';
import { IMAGE_MODELS, type ImageModel, writeImageModel } from '../unit/support/image-models';

/** Width and layers (of each tier in SaShiMi); 32 states are S4's usual 64, in conjugate pairs. CKConv has width^2 kernels in each convolution. */
const SIZES: Readonly<Record<ImageModel, { width: number; layers: number; states: number }>> = {
  sashimi: { width: 32, layers: 2, states: 32 }, s4d: { width: 64, layers: 2, states: 32 }, s4: { width: 64, layers: 2, states: 32 }, ckconv: { width: 8, layers: 2, states: 0 },
};

async function timed<T>(work: () => Promise<T>): Promise<{ seconds: string; result: T }> {
  const begin = performance.now();
  const result = await work();
  return { seconds: ((performance.now() - begin) / 1000).toFixed(3), result };
}

async function measure(kind: ImageModel, folder: string, pixels: number): Promise<void> {
  const { model, data } = await writeImageModel(kind, folder, { pixels, ...SIZES[kind] });
  const at = (name: string): string => path.join(folder, name);
  const opened = await openModel(model);
  const site = opened.sites[opened.sites.length - 1];
  const engine = loadEngine();
  const output = new Float32Array(site.channels * site.taps);
  const filters = () => timed(() => opened.filter(site.id, { channels: [0, site.channels], taps: [0, site.taps] }, engine, output));
  // The second time, their memory has been used before.
  const [first, second] = [await filters(), await filters()];
  await opened.close();
  console.log(`${kind}: ${opened.sites.length} sites, ${opened.parameters} parameters; filters of ${site.id}, ${site.channels} x ${site.taps}: ${first.seconds} s, again ${second.seconds} s`);
  await run('plan', model, '--partial', String(Math.min(4096, pixels / 16)), '-o', at('plan.surgery.json'));
  const commands = [
    // Its image has one pixel more than it takes, for the last target.
    ...(kind === 'sashimi' ? [] : [['forward', model, '--input', data, '-o', at('logits.safetensors')]]),
    ['validate', at('plan.surgery.json'), '--data', data, '--json', at('report.json')],
  ];
  for (const command of commands) {
    const noted = at(`${command[0]}-noted`);
    const { seconds, result: { peaks } } = await timed(() => measuredCli(noted, ...command));
    const processor = (await processorSecondsNoted(noted)).toFixed(1);
    console.log(`${kind} ${command[0]}: ${seconds} s, ${processor} s of processor time, ${Math.round(peaks.reduce((a, b) => a + b) / 1e6)} MB`);
  }
}

async function main([side = '512', ...kinds]: readonly string[]): Promise<void> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'longconv-path-'));
  try {
    for (const kind of IMAGE_MODELS) {
      if (kinds.length === 0 || kinds.includes(kind)) await measure(kind, path.join(folder, kind), Number(side) ** 2);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

void main(process.argv.slice(2));
