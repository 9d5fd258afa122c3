import { UserError } from '../errors';

/*
 * Conversions of token ids by the halves of their words: a million numbers made into BigInts, or back, take a third of a second, which is
 * longer than a GPU takes to run the model on them. The halves are little-endian, as on every machine that VS Code runs on.
 */

/** Token ids as int64, the type that ONNX graphs take. */
export function int64Ids(ids: Int32Array): BigInt64Array {
  const out = new BigInt64Array(ids.length), halves = new Int32Array(out.buffer);
  for (let i = 0; i < ids.length; i++) {
    halves[2 * i] = ids[i];
    halves[2 * i + 1] = ids[i] >> 31;
  }
  return out;
}

/** Token ids as int32. Throws UserError for one that int32 does not hold. */
export function int32Ids(ids: BigInt64Array): Int32Array {
  const out = new Int32Array(ids.length), halves = new Int32Array(ids.buffer, ids.byteOffset, 2 * ids.length);
  for (let i = 0; i < ids.length; i++) {
    out[i] = halves[2 * i];
    if (halves[2 * i + 1] !== out[i] >> 31) throw new UserError(`Token ${i} of the input is ${ids[i]}; no vocabulary is that large.`);
  }
  return out;
}
