import * as os from 'node:os';

/** Copies of the weights while a model runs: in the graph, and in ONNX Runtime. */
const COPIES = 2;
/** Share of the machine's memory that weights may take. */
const SHARE = 0.85;

/** Why a model whose weights are all float32 in memory while it runs is too large for this machine; undefined where it is not. */
export function tooLarge(parameters: number, memory = os.totalmem()): string | undefined {
  const needed = COPIES * 4 * parameters;
  const gigabytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(bytes < 10 * 2 ** 30 ? 1 : 0)} GB`;
  return needed > SHARE * memory
    ? `has ${(parameters / 1e9).toFixed(2)} billion parameters, which take ${gigabytes(needed)} while it runs, and this machine has ${gigabytes(memory)}`
    : undefined;
}
