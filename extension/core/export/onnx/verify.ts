import * as fs from 'node:fs/promises';
import { UserError } from '../../errors';
import type { DenseSessions } from '../../graph/dense-sessions';
import type { ModelGraph } from '../../graph/model-graph';
import { relativeDifference } from '../relative-difference';
import { inputTensors, type ModelInput } from '../../graph/inputs';

/**
 * Re-reads an exported model, runs it in plain ONNX Runtime on token ids [batch, length] (or floats of the shape that `graph` declares), and
 * returns ||logits - expected|| / ||expected|| (0 where all bits are equal; NaN where a value is not finite).
 * `graph`: the one that was exported, where its inputs are more than one tensor of token ids.
 */
export async function verifyOnnx(
  path: string, sessions: DenseSessions, input: ModelInput, batch: number, length: number, expected: Float32Array, graph?: ModelGraph,
): Promise<number> {
  const session = await sessions.create(await fs.readFile(path));
  try {
    const [first] = session.inputNames;
    const [output] = session.outputNames;
    const feeds = inputTensors(graph ?? { model: {}, input: { name: first, kind: 'tokens' }, output }, input, batch, length);
    const logits = (await session.run(feeds, [output])).get(output)!;
    if (logits.data.length !== expected.length) {
      throw new UserError(`The exported graph gives logits of shape [${logits.dims.join(', ')}], which is not what the native run gives.`);
    }
    return relativeDifference(logits.data, expected);
  } finally {
    await session.dispose();
  }
}
