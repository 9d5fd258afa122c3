import { elementCount } from '../../formats/dtype';
import type { TensorFile } from '../../formats/tensor-file';
import { bakedFilterName, type WeightAndBias } from '../shared/tensor-names';
import type { GeneratorNames, HyenaDnaLayout, HyenaDnaNetwork } from './layout';

/**
 * Number of trained parameters: the shared `freq` once and a tied head not at all, without the buffers z, t and deltas. A baked
 * filter counts with all its stored values, since they stand in for the weights that generated it.
 */
export function countParameters(file: TensorFile, layout: HyenaDnaLayout, network: HyenaDnaNetwork, headIsTied: boolean): number {
  const names = [network.embedding, ...both(network.finalNorm), ...(headIsTied ? [] : [network.head])];
  layout.layers.forEach(({ sites, norm1, inProj, shortFilter, filterBias, outProj, norm2, fc1, fc2 }, index) => {
    names.push(...[norm1, inProj, shortFilter, outProj, norm2, fc1, fc2].flatMap(both), filterBias);
    const generator = layout.generators[index];
    names.push(...(generator ? trainedTensors(generator) : []), ...sites.map(bakedFilterName).filter((name) => file.tensors.has(name)));
  });
  return names.reduce((sum, name) => sum + elementCount(file.tensors.get(name)?.shape ?? [0]), 0);
}

const both = ({ weight, bias }: WeightAndBias): string[] => [weight, bias];
const trainedTensors = ({ hidden, freq, output }: GeneratorNames): string[] => [...hidden.flatMap(both), freq[0], output];

/** Bytes compared at a time. */
const COMPARED_AT_ONCE = 1 << 20;

/** Whether two tensors have the same dtype, shape and bytes. */
export async function sameTensor(file: TensorFile, first: string, second: string): Promise<boolean> {
  const a = file.tensors.get(first);
  const b = file.tensors.get(second);
  if (!a || !b || a.dtype !== b.dtype || a.shape.join() !== b.shape.join()) {
    return false;
  }
  for (let begin = 0; begin < a.byteLength; begin += COMPARED_AT_ONCE) {
    const end = Math.min(begin + COMPARED_AT_ONCE, a.byteLength);
    const [left, right] = await Promise.all([file.readBytes(first, begin, end), file.readBytes(second, begin, end)]);
    if (Buffer.compare(left, right) !== 0) {
      return false;
    }
  }
  return true;
}
