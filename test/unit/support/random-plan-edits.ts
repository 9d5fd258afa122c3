import type { ChannelMask, FrequencyPattern } from '../../../extension/core/plan/plan';
import type { SiteSummary } from '../../../extension/core/protocol/kernel-host';
import type { PlanEdit } from '../../../extension/core/protocol/webview';

const GRID = { fftSize: 2048, factors: [16, 16, 8], taps: 1024 } as const;

/** Sites like those of the sample. */
export const SITES: readonly SiteSummary[] = ['layers.0.mixer', 'layers.1.mixer'].map((id, layer) => ({
  id, layer, channels: 128, taps: 1026, direction: 'causal', storage: 'implicit', writeBack: ['baked', 'sidecar'], defaultGrid: GRID,
}));

/** The changes a page can ask for, chosen by a generator of numbers in [0, 1): masks of every kind, on channel ranges too. */
export function randomEdit(random: () => number): PlanEdit {
  const whole = (most: number): number => Math.floor(random() * most);
  const site = SITES[whole(SITES.length)].id;
  const kind = random();
  if (kind < 0.05) return { kind: 'clearAll' };
  if (kind < 0.15) return { kind: 'copyToAll', site };
  const patterns: (() => FrequencyPattern)[] = [
    () => ({ kind: 'lowpass', fraction: (1 + whole(1024)) / 1025 }), () => ({ kind: 'comb', rows: 1 + whole(16) }),
    () => ({ kind: 'block', counts: [1 + whole(16), 1 + whole(16), 1 + whole(8)] }), () => ({ kind: 'cells', cells: { digits: [0, 2], runs: [whole(64), 1 + whole(64)] } }),
  ];
  const action = (): ChannelMask => ({
    ...(random() < 0.6 && { frequency: { grid: GRID, symmetry: random() < 0.5 ? 'conjugate' as const : 'gain' as const, keep: patterns[whole(patterns.length)]() } }),
    ...(random() < 0.6 && { partial: { taps: 1 + whole(1024) } }),
  });
  const middle = 1 + whole(127);
  const ranges = random() < 0.3 ? [{ ...action(), channels: [0, middle] as const }, { ...action(), channels: [middle, 128] as const }] : [action()];
  return { kind: 'setMasks', site, masks: ranges.filter(({ frequency, partial }) => frequency || partial) };
}
