import { findLayout } from '../../../../extension/core/families/hyenadna/layout';
import { openSafetensors } from '../../../../extension/core/formats/safetensors/read';
import type { WeightAndBias } from '../../../../extension/core/families/shared/tensor-names';

/**
 * HyenaDNA's logits [tokens, vocabulary] in float64, from the formulas alone: filters [d, taps] by layer, cut to however many taps they have,
 * summed directly over the past.
 */
export async function float64Logits(file: string, tokens: ArrayLike<number>, filters: readonly Float64Array[]): Promise<Float64Array> {
  const tensors = await openSafetensors(file);
  const read = async (name: string): Promise<Float64Array> => Float64Array.from(await tensors.readFloat32(name));
  const layout = findLayout(tensors.tensors)!;
  const d = tensors.tensors.get(layout.embedding)!.shape[1];
  const L = tokens.length;
  const embedding = await read(layout.embedding);
  let x = Float64Array.from({ length: L * d }, (_, i) => embedding[tokens[Math.floor(i / d)] * d + (i % d)]);
  const norm = async (values: Float64Array, { weight, bias }: WeightAndBias): Promise<Float64Array> => {
    const [w, b] = [await read(weight), await read(bias)];
    const out = new Float64Array(values.length);
    for (let t = 0; t < L; t++) {
      const row = values.subarray(t * d, (t + 1) * d);
      const mean = row.reduce((a, c) => a + c) / d;
      const variance = row.reduce((a, c) => a + (c - mean) ** 2, 0) / d;
      for (let c = 0; c < d; c++) out[t * d + c] = ((row[c] - mean) / Math.sqrt(variance + 1e-5)) * w[c] + b[c];
    }
    return out;
  };
  const linear = async (values: Float64Array, { weight, bias }: { weight: string; bias?: string }): Promise<Float64Array> => {
    const w = await read(weight);
    const b = bias === undefined ? undefined : await read(bias);
    const inputs = values.length / L;
    const outputs = w.length / inputs;
    const out = new Float64Array(L * outputs);
    for (let t = 0; t < L; t++) {
      for (let o = 0; o < outputs; o++) {
        let sum = b ? b[o] : 0;
        for (let i = 0; i < inputs; i++) sum += w[o * inputs + i] * values[t * inputs + i];
        out[t * outputs + o] = sum;
      }
    }
    return out;
  };
  for (const [i, layer] of layout.layers.entries()) {
    const projected = await linear(await norm(x, layer.norm1), layer.inProj);
    const [w, b] = [await read(layer.shortFilter.weight), await read(layer.shortFilter.bias)];
    const z = new Float64Array(projected.length);
    for (let t = 0; t < L; t++) {
      for (let c = 0; c < 3 * d; c++) {
        let sum = b[c];
        for (let j = 0; j < 3 && j <= t; j++) sum += w[3 * c + 2 - j] * projected[(t - j) * 3 * d + c];
        z[t * 3 * d + c] = sum;
      }
    }
    const skip = await read(layer.filterBias);
    const taps = filters[i].length / d;
    const y = new Float64Array(L * d);
    for (let c = 0; c < d; c++) {
      const v = Float64Array.from({ length: L }, (_, t) => z[t * 3 * d + d + c] * z[t * 3 * d + 2 * d + c]);
      for (let t = 0; t < L; t++) {
        let sum = skip[c] * v[t];
        for (let j = 0; j < taps && j <= t; j++) sum += filters[i][c * taps + j] * v[t - j];
        y[t * d + c] = sum * z[t * 3 * d + c];
      }
    }
    const mixed = await linear(y, layer.outProj);
    x = x.map((value, n) => value + mixed[n]);
    const hidden = (await linear(await norm(x, layer.norm2), layer.fc1)).map((h) => (h / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (h + 0.044715 * h ** 3))));
    const out = await linear(hidden, layer.fc2);
    x = x.map((value, n) => value + out[n]);
  }
  const logits = await linear(await norm(x, layout.finalNorm), { weight: layout.heads[0] ?? layout.embedding });
  await tensors.close();
  return logits;
}
