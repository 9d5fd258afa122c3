import * as os from 'node:os';

/** Copies of the weights while a model runs: in the graph, and in ONNX Runtime. */
const COPIES = 2;
/** Copies of a layer that is read from disk: its weights, and what ONNX Runtime makes of them. */
const LAYER_COPIES = 2;
/** Share of the machine's memory that weights may take. */
const SHARE = 0.85;

/** Where a model's weights are while it runs; why, as the end of a sentence about the model, where it is not memory. */
export type WeightsPlace = { readonly kind: 'memory' } | { readonly kind: 'disk' | 'nowhere'; readonly why: string };

/**
 * Where the weights of a model can be while it runs on this machine, float32 as all of them are then: in memory, or, layer by layer, on disk.
 * `parameters` of the whole model, and of its largest layer.
 */
export function weightsPlace(parameters: number, largestLayer: number, memory = usableMemory()): WeightsPlace {
  const gigabytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(bytes < 10 * 2 ** 30 ? 1 : 0)} GB`;
  const needed = COPIES * 4 * parameters;
  if (needed <= SHARE * memory) return { kind: 'memory' };
  const size = `has ${(parameters / 1e9).toFixed(2)} billion parameters, which take ${gigabytes(needed)} while it runs`;
  const layer = LAYER_COPIES * 4 * largestLayer;
  return layer <= SHARE * memory
    ? { kind: 'disk', why: `${size}, and there are ${gigabytes(memory)} here` }
    : { kind: 'nowhere', why: `${size}, ${gigabytes(layer)} for one layer, and there are ${gigabytes(memory)} here` };
}

/** What a user must know of a model whose weights stay on disk. `growsWith`: option that says how long its filters are. */
export const onDiskNote = (why: string, growsWith: string): string =>
  `The model ${why}: every run reads its weights from disk, layer by layer. Its filters are in memory; the option ${growsWith} makes them no longer than the inputs.`;

/** Environment variable that says how much memory there is, for machines that are shared. */
const MEMORY_VARIABLE = 'LONGCONV_MEMORY_GB';

/** Bytes of memory: the machine's, what its container or its user leaves of it. */
function usableMemory(): number {
  const named = Number(process.env[MEMORY_VARIABLE]);
  const constrained = process.constrainedMemory();
  return Math.min(os.totalmem(), constrained > 0 ? constrained : Infinity, named > 0 ? named * 2 ** 30 : Infinity);
}
