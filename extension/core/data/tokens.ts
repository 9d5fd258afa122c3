import { UserError } from '../errors';
import type { DType, TensorFile } from '../formats/tensor-file';

export interface TokenTensor {
  /** [batch, length] */
  readonly ids: Int32Array;
  readonly batch: number;
  readonly length: number;
}

type IntegerView = Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array | BigInt64Array | BigUint64Array;

const INTEGER_VIEWS: Partial<Record<DType, new (buffer: ArrayBufferLike) => IntegerView>> = {
  U8: Uint8Array, I8: Int8Array, U16: Uint16Array, I16: Int16Array, U32: Uint32Array, I32: Int32Array, I64: BigInt64Array, U64: BigUint64Array,
};

/** The values of an integer tensor and its shape; `what` names them in the sentence that refuses another dtype. */
export async function integerValues(file: TensorFile, name: string, what: string): Promise<{ values: IntegerView; shape: readonly number[] }> {
  const info = file.tensors.get(name);
  if (!info) {
    const some = [...file.tensors.keys()].slice(0, 5).join(', ');
    throw new UserError(`${file.path} has no tensor "${name}"; ${some ? `it has ${some}` : 'it is empty'}.`, `Store the ${what} in a tensor "${name}" of shape [rows, tokens].`);
  }
  const View = INTEGER_VIEWS[info.dtype];
  if (!View) {
    throw new UserError(`${file.path} stores "${name}" as ${info.dtype}, but ${what} must be integers.`, 'Store them as I32 or I64.');
  }
  // readBytes gives a buffer of its own, so that it is aligned for any element size.
  return { values: new View((await file.readBytes(name)).buffer), shape: info.shape };
}

/**
 * Reads token ids from an integer tensor [batch, length], or [length] as a batch of 1. Throws UserError for other shapes and dtypes,
 * and for ids outside the vocabulary, with their row and position.
 */
export async function readTokens(file: TensorFile, name: string, vocabularySize: number): Promise<TokenTensor> {
  const { values: stored, shape } = await integerValues(file, name, 'token ids');
  if (shape.length < 1 || shape.length > 2) {
    throw new UserError(`${file.path} has "${name}" of shape [${shape.join(', ')}], but token ids must be [rows, tokens] or [tokens].`);
  }
  const [batch, length] = shape.length === 1 ? [1, shape[0]] : shape;
  const ids = new Int32Array(stored.length);
  for (let i = 0; i < stored.length; i++) {
    const id = stored[i];
    if (id < 0 || id >= vocabularySize) {
      throw new UserError(
        `${file.path} has the token id ${id} in row ${Math.floor(i / length)}, position ${i % length}, but the model's vocabulary has ids 0 to ${vocabularySize - 1}.`,
        'Check that the data was tokenized for this model.');
    }
    ids[i] = Number(id);
  }
  return { ids, batch, length };
}
