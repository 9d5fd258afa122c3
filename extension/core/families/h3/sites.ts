import type { TensorFile } from '../../formats/tensor-file';
import type { ExactWriteBack, WriteBack } from '../model';
import type { SiteDraft } from '../shared/sites';
import type { H3Settings } from './config';
import { diagonalSource, shiftSource, squashedSource } from './filter';
import { filterTensorsOf, type H3Convolution, type H3Layout } from './layout';
import type { H3Sizes } from './sizes';

/** The two sites of an H3 layer; none of an attention layer. `file` is seen under the layout's names. */
export function layerSites(file: TensorFile, layout: H3Layout, layer: number, sizes: H3Sizes, settings: H3Settings): SiteDraft[] {
  const { mixer } = layout.layers[layer];
  if (mixer.kind === 'attention') {
    return [];
  }
  return [mixer.first, mixer.second].map((convolution): SiteDraft => ({
    id: convolution.site, layer, channels: sizes.dModel, writeBack: writeBack(convolution),
    filterTensors: convolution.filter ? filterTensorsOf(convolution.filter).map((name) => layout.stored.get(name) ?? name) : [],
    ...filterOf(file, convolution, sizes, settings),
  }));
}

/** Only state-space filters cannot express a mask. */
const writeBack = ({ filter }: H3Convolution): WriteBack[] => [...(filter?.kind === 'shift' || filter?.kind === 'explicit' ? ['exact' as const] : []), 'baked', 'sidecar'];

/** Stored values that make the rows [d, taps] of a site: a shift whose input is lag 0 alone, or taps before they are squashed. */
export function storedValues({ filter }: H3Convolution, rows: Float32Array, stored: (name: string) => string, { dModel, taps = 0, shiftStates = 0 }: H3Sizes, lam: number): ExactWriteBack {
  if (filter?.kind === 'shift') {
    const first = Float32Array.from({ length: rows.length }, (_, i) => (i % shiftStates === 0 ? 1 : 0));
    return { tensors: [{ name: stored(filter.B), shape: [dModel, shiftStates], data: first }, { name: stored(filter.C), shape: [1, dModel, shiftStates], data: rows }] };
  }
  if (filter?.kind === 'explicit') {
    return { tensors: [{ name: stored(filter.kernel), shape: [1, dModel, taps], data: rows.map((k) => k + lam * Math.sign(k)) }] };
  }
  throw new Error('a state-space filter cannot be written back');
}

function filterOf(file: TensorFile, { site, filter }: H3Convolution, sizes: H3Sizes, settings: H3Settings): Pick<SiteDraft, 'taps' | 'storage' | 'finite' | 'ringOfRun' | 'source'> {
  switch (filter?.kind) {
    case 'shift': {
      const states = sizes.shiftStates ?? 0;
      return { taps: states, finite: true, storage: 'explicit', source: shiftSource(file, filter, states) };
    }
    case 'diagonal': return { taps: settings.length, storage: 'modal', source: diagonalSource(file, filter, sizes.diagonalStates ?? 0, settings.discretisation) };
    case 'explicit': {
      const taps = sizes.taps ?? 0;
      return { taps, storage: 'explicit', ringOfRun: 'wrapped', source: squashedSource(file, filter, taps, settings.lam) };
    }
    // A baked filter; the site's name tells what it replaces.
    case undefined: return {
      storage: 'explicit', ...(/\.(k_)?kernel$/.test(site) ? { taps: settings.explicitLength, ringOfRun: 'wrapped' } : { taps: 0, finite: site.endsWith('.shift') || undefined }),
    };
  }
}
