import { writeSafetensorsInPlaces } from '../../extension/core/formats/safetensors/write';

/** A single LongConv layer whose filters are decaying noise, stored tap by tap: [1, channels, taps] float32, written row by row. */
export async function writeStoredLayer(file: string, channels: number, taps: number): Promise<void> {
  const random = noise();
  await writeSafetensorsInPlaces(file, [
    { name: 'kernel.kernel', dtype: 'F32', shape: [1, channels, taps] },
    { name: 'D', dtype: 'F32', shape: [1, channels] },
    { name: 'output_linear.0.weight', dtype: 'F32', shape: [2 * channels, channels] },
    { name: 'output_linear.0.bias', dtype: 'F32', shape: [2 * channels] },
  ], async (place) => {
    const row = new Float32Array(taps);
    for (let channel = 0; channel < channels; channel++) {
      const decay = Math.exp(-6 / (taps * (0.05 + channel / channels)));
      let size = 1;
      for (let j = 0; j < taps; j++) {
        row[j] = size * random();
        size *= decay;
      }
      await place('kernel.kernel', 4 * channel * taps, new Uint8Array(row.buffer));
    }
  });
}

/** A HyenaDNA of one layer with random weights, whose filters a small network makes of 5 features of each lag. */
export async function writeGeneratedLayer(file: string, channels: number, taps: number): Promise<void> {
  const [features, width] = [5, 64];
  const layer = 'backbone.layers.0.';
  const generator = `${layer}mixer.filter_fn.`;
  const random = noise();
  const uniform = (count: number, scale: number): Float32Array => Float32Array.from({ length: count }, () => scale * random());
  const constant = (count: number, value: number): Float32Array => new Float32Array(count).fill(value);
  const t = Float32Array.from({ length: taps }, (_, j) => j / (taps - 1));
  const z = Float32Array.from({ length: taps * features }, (_, i) => {
    const [j, feature] = [Math.floor(i / features), i % features];
    const angle = (2 * Math.PI * j * (feature % 2 === 1 ? 1e-4 : 1)) / taps;
    return feature === 0 ? t[j] : feature <= 2 ? Math.cos(angle) : -Math.sin(angle);
  });
  const tensors: Record<string, { shape: number[]; values: Float32Array }> = {};
  const add = (name: string, shape: number[], values: Float32Array): void => { tensors[name] = { shape, values }; };
  const pair = (name: string, rows: number, columns: number, scale = 1 / Math.sqrt(columns)): void => {
    add(`${name}.weight`, [rows, columns], uniform(rows * columns, scale));
    add(`${name}.bias`, [rows], uniform(rows, scale));
  };
  const norm = (name: string): void => {
    add(`${name}.weight`, [channels], constant(channels, 1));
    add(`${name}.bias`, [channels], constant(channels, 0));
  };
  add('backbone.embeddings.word_embeddings.weight', [16, channels], uniform(16 * channels, 0.02));
  pair(`${layer}mixer.in_proj`, 3 * channels, channels);
  pair(`${layer}mixer.out_proj`, channels, channels);
  add(`${layer}mixer.short_filter.weight`, [3 * channels, 1, 3], uniform(9 * channels, 0.5));
  add(`${layer}mixer.short_filter.bias`, [3 * channels], constant(3 * channels, 0));
  add(`${generator}bias`, [channels], uniform(channels, 1));
  add(`${generator}pos_emb.z`, [1, taps, features], z);
  add(`${generator}pos_emb.t`, [1, taps, 1], t);
  [features, width, width].forEach((inputs, i) => {
    pair(`${generator}implicit_filter.${2 * i}`, width, inputs);
    add(`${generator}implicit_filter.${2 * i + 1}.freq`, [1, width], constant(width, 10));
  });
  add(`${generator}implicit_filter.6.weight`, [channels, width], uniform(channels * width, 1 / Math.sqrt(width)));
  add(`${generator}modulation.deltas`, [1, 1, channels], Float32Array.from({ length: channels }, (_, c) => 3 + (12 * c) / channels));
  norm(`${layer}norm1`);
  norm(`${layer}norm2`);
  pair(`${layer}mlp.fc1`, 4 * channels, channels);
  pair(`${layer}mlp.fc2`, channels, 4 * channels);
  norm('backbone.ln_f');
  await writeSafetensorsInPlaces(file, Object.entries(tensors).map(([name, { shape }]) => ({ name, dtype: 'F32' as const, shape })), async (place) => {
    for (const [name, { values }] of Object.entries(tensors)) await place(name, 0, new Uint8Array(values.buffer));
  });
}

/** Numbers in [-1, 1) that are the same in each run. */
function noise(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}
