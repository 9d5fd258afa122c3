import type { EmbeddedFilter, LongConvModel, Site } from '../../../../extension/core/families/model';
import type { BakedTensor } from '../../../../extension/core/plan/baked';
import type { ChannelMask } from '../../../../extension/core/plan/plan';
import { mulberry32 } from '../../../../extension/core/validation/statistics';

export const CHANNELS = 7;
export const TAPS = 50;
export const SITE: Site = {
  id: 'layers.0.mixer', layer: 0, channels: CHANNELS, taps: TAPS, direction: 'causal', storage: 'explicit', writeBack: ['baked'], filterTensors: ['k'],
};

/** [CHANNELS, TAPS] decaying noise, never zero. */
export const FILTER = ((): Float32Array => {
  const random = mulberry32(7);
  return Float32Array.from({ length: CHANNELS * TAPS }, (_, i) => (random() - 0.5 + 1e-3) * Math.exp(-(i % TAPS) / 20));
})();

/** A model of one site whose filter is FILTER; with a baked tensor, the model that its export re-opens as. */
export function syntheticModel(baked?: BakedTensor & { readonly masks: readonly ChannelMask[] }): LongConvModel {
  const embedded: EmbeddedFilter | undefined = baked && { tensor: 'baked', circular: baked.circular, channelMasks: baked.masks };
  const tensors = new Map(baked && [['baked', { name: 'baked', dtype: 'F32' as const, shape: baked.shape, byteLength: baked.rows.byteLength }]]);
  return {
    family: 'synthetic', name: 'synthetic', path: '/models/synthetic.safetensors', parameters: FILTER.length,
    file: {
      path: '/models/synthetic.safetensors', tensors, metadata: new Map(),
      readBytes: async () => { throw new Error('bytes are not read'); },
      readFloat32: async (_, begin, end) => baked!.rows.slice(begin, end),
      close: async () => {},
    },
    sites: [{ ...SITE, ...(embedded && { embedded }) }, { ...SITE, id: 'layers.1.mixer', layer: 1 }, { ...SITE, id: 'layers.10.mixer', layer: 10 }],
    vocabularySize: 0, maxLength: TAPS, options: [{ name: 'shift', value: 0.05, source: 'given by the user' }], notes: [],
    async filter(_, { channels, taps }) {
      const width = taps[1] - taps[0];
      const out = new Float32Array((channels[1] - channels[0]) * width);
      for (let c = channels[0]; c < channels[1]; c++) out.set(FILTER.subarray(c * TAPS + taps[0], c * TAPS + taps[1]), (c - channels[0]) * width);
      return out;
    },
    graph: async () => { throw new Error('there is no graph'); },
    close: async () => {},
  };
}
