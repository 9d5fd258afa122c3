import * as fs from 'node:fs/promises';
import { UserError } from '../../errors';
import type { DenseSessions } from '../../graph/dense-sessions';

/**
 * Re-reads an exported model, runs it in plain ONNX Runtime on token ids [batch, length], and returns ||logits - expected|| / ||expected||
 * (0 where all bits are equal; NaN where a value is not finite).
 */
export async function verifyOnnx(
  path: string, sessions: DenseSessions, tokens: Int32Array, batch: number, length: number, expected: Float32Array,
): Promise<number> {
  const session = await sessions.create(await fs.readFile(path));
  try {
    const [input] = session.inputNames;
    const [output] = session.outputNames;
    const feeds = new Map([[input, { type: 'int64' as const, data: BigInt64Array.from(tokens, BigInt), dims: [batch, length] }]]);
    const logits = (await session.run(feeds, [output])).get(output)!;
    if (logits.data.length !== expected.length) {
      throw new UserError(`The exported graph gives logits of shape [${logits.dims.join(', ')}], which is not what the native run gives.`);
    }
    return relativeDifference(logits.data as Float32Array, expected);
  } finally {
    await session.dispose();
  }
}

function relativeDifference(a: Float32Array, b: Float32Array): number {
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < b.length; i++) {
    difference += (a[i] - b[i]) ** 2;
    norm += b[i] ** 2;
  }
  return difference === 0 ? 0 : Math.sqrt(difference / norm);
}
