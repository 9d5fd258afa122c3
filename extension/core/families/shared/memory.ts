import * as os from 'node:os';
import { UserError } from '../../errors';

/** Copies of the weights while a model runs: in the graph, and in ONNX Runtime. */
const COPIES = 2;
/** Share of the machine's memory that weights may take. */
const SHARE = 0.85;

/** Throws UserError when a model's graph, with all weights as float32, does not fit into this machine's memory. */
export function refuseTooLarge(path: string, parameters: number, memory = os.totalmem()): void {
  const needed = COPIES * 4 * parameters;
  if (needed > SHARE * memory) {
    const gigabytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(bytes < 10 * 2 ** 30 ? 1 : 0)} GB`;
    throw new UserError(
      `${path} has ${(parameters / 1e9).toFixed(2)} billion parameters; running the whole model takes ${gigabytes(needed)}, and this machine has ${gigabytes(memory)}.`,
      'Its sites can be viewed, masked, measured one by one and exported here; run the whole model on a machine with more memory.');
  }
}
