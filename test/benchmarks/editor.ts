// npm run bench:editor: how long the editor's pages take to show a model's filters, and how fluid they are while a mask is dragged. The built
// pages (dist/) in the system's Chromium, against the built kernel host; run it on a machine that does nothing else.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { SampleHost } from '../e2e/page-handlers';
import { PageHost } from '../e2e/page-host';
import { repositoryRoot } from '../e2e/server/installation';
import { writeGeneratedLayer, writeStoredLayer } from './large-model';

const [CHANNELS, TAPS] = [256, 1_000_000];
const DRAG_SECONDS = 3;

interface DragFigures { readonly framesPerSecond: number; readonly longestFrameMs: number; readonly answers: Record<string, { readonly count: number; readonly medianMs: number; readonly p95Ms: number }> }
/** Milliseconds from the page's start to its plots. */
interface PlotTimes { readonly time: number; readonly frequency: number }
interface Figures {
  readonly model: string;
  /** By a new kernel host, which has made no filter, and by one that has; with the phase, too, which costs more than the magnitude. */
  readonly firstPlotMs: { readonly cold: PlotTimes; readonly warm: PlotTimes; readonly warmWithPhase: PlotTimes };
  readonly drags: Record<string, DragFigures>;
  /** Until the figures at the end of a drag are those of all channels. */
  readonly allChannelsMs: number;
  readonly largestMessageBytes: number;
}

const milliseconds = (value: number): number => Math.round(value * 10) / 10;
const quantile = (sorted: readonly number[], share: number): number => milliseconds(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]);

async function firstPlots(host: PageHost): Promise<PlotTimes> {
  const plotted = async (testid: string): Promise<number> => {
    await host.page.locator(`[data-testid="${testid}"] canvas`).waitFor({ timeout: 300_000 });
    return milliseconds(await host.page.evaluate<number>('performance.now()'));
  };
  const [time, frequency] = await Promise.all([plotted('time-plot'), plotted('frequency-plot')]);
  // What else the page asked for is answered before anything is timed again.
  await host.page.waitForTimeout(1500);
  return { time, frequency };
}

/** Drags what lies at x, y to and fro along `area`, one move in each sixtieth of a second, and watches the page meanwhile. */
async function drag(host: PageHost, x: number, y: number, area: { readonly x: number; readonly width: number }): Promise<DragFigures> {
  const { page } = host;
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.evaluate('window.frames = []; window.tick = (now) => { window.frames.push(now); requestAnimationFrame((next) => window.tick(next)); }; requestAnimationFrame(window.tick)');
  host.answerTimes.clear();
  const started = performance.now();
  for (let step = 0; performance.now() - started < DRAG_SECONDS * 1000; step++) {
    const share = 0.5 + 0.4 * Math.cos(step / 20);
    await page.mouse.move(area.x + area.width * share, y);
    await page.waitForTimeout(Math.max(0, started + (step + 1) * (1000 / 60) - performance.now()));
  }
  const frames = await page.evaluate<number[]>('window.frames');
  await page.evaluate('window.tick = () => undefined');
  await page.mouse.up();
  await page.waitForTimeout(500);
  const answers = Object.fromEntries([...host.answerTimes].map(([method, times]) => {
    const sorted = [...times].sort((a, b) => a - b);
    return [method, { count: sorted.length, medianMs: quantile(sorted, 0.5), p95Ms: quantile(sorted, 0.95) }];
  }));
  const gaps = frames.slice(1).map((frame, i) => frame - frames[i]);
  return { framesPerSecond: Math.round((gaps.length * 1000) / (frames.at(-1)! - frames[0])), longestFrameMs: milliseconds(Math.max(...gaps)), answers };
}

async function dragHandle(host: PageHost, testid: string): Promise<DragFigures> {
  const box = (await host.page.getByTestId(testid).boundingBox())!;
  return drag(host, box.x + box.width / 2, box.y + 20, (await host.page.locator('[data-testid="time-plot"] .u-over').boundingBox())!);
}

async function paintCells(host: PageHost): Promise<DragFigures> {
  const map = host.page.getByTestId('cell-map');
  await map.scrollIntoViewIfNeeded();
  const box = (await map.boundingBox())!;
  return drag(host, box.x + 0.9 * box.width, box.y + box.height / 2, box);
}

async function measure(name: string, sample: SampleHost): Promise<Figures> {
  const host: PageHost = await PageHost.open('plan-editor', sample.planHandlers(() => host), 'light', { width: 1000, height: 900 });
  try {
    await firstPlots(host);
    // The browser has started, as in an open editor; a new kernel host has made no filter.
    sample.dispose();
    await host.load('light');
    const cold = await firstPlots(host);
    await host.load('light');
    const warm = await firstPlots(host);
    await host.page.getByTestId('frequency-plot-phase').click();
    await host.load('light');
    const firstPlotMs = { cold, warm, warmWithPhase: await firstPlots(host) };
    await host.page.getByTestId('frequency-plot-phase').click();
    const drags: Record<string, DragFigures> = {};
    drags['cut in time'] = await dragHandle(host, 'cut-handle');
    await host.page.getByTestId('clear-site').click();
    drags['edge in frequency'] = await dragHandle(host, 'high-edge');
    await host.page.getByTestId('clear-site').click();
    drags['cells painted'] = await paintCells(host);
    await host.page.getByTestId('kernel').filter({ hasNotText: 'error and leak over' }).waitFor({ timeout: 120_000 });
    const allChannelsMs = milliseconds(host.answerTimes.get('measure')!.at(-1)!);
    return { model: name, firstPlotMs, drags, allChannelsMs, largestMessageBytes: host.largestMessage };
  } finally {
    await host.close();
    sample.dispose();
  }
}

async function main(): Promise<void> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'longconv-bench-'));
  try {
    const stored = path.join(folder, 'stored.safetensors');
    await writeStoredLayer(stored, CHANNELS, TAPS);
    const generated = path.join(folder, 'generated.safetensors');
    await writeGeneratedLayer(generated, CHANNELS, TAPS);
    const figures: Figures[] = [];
    const samples: readonly (readonly [string, SampleHost])[] = [
      ['sample (2 sites of 128 x 1,024)', new SampleHost()],
      [`one stored site of ${CHANNELS} x ${TAPS}`, new SampleHost(stored, 'longconv')],
      [`one generated site of ${CHANNELS} x ${TAPS}`, new SampleHost(generated, 'hyenadna')],
    ];
    for (const [name, sample] of samples) {
      figures.push(await measure(name, sample));
      console.log(JSON.stringify(figures.at(-1), null, 2));
    }
    const output = path.join(repositoryRoot, 'out/bench-editor.json');
    await mkdir(path.dirname(output), { recursive: true });
    await writeFile(output, `${JSON.stringify({ processor: os.cpus()[0].model, cores: os.cpus().length, figures }, null, 2)}\n`);
  } finally {
    await PageHost.closeBrowser();
    await rm(folder, { recursive: true, force: true });
  }
}

void main();
