import type { Refuse } from './refusal';
import type { PickleValue, TorchDType } from './values';
import { Storage, TorchTensor, Tuple } from './values';

/** PyTorch has no tensors of more dimensions. */
const MOST_DIMENSIONS = 64;

/**
 * The tensor that `_rebuild_tensor*(storage, offset, size, stride, ...)` makes, all in elements, checked against its storage.
 * `dtype` is given where the storage is untyped.
 */
export function viewOf(args: readonly PickleValue[], dtype: TorchDType | null, at: number, refuse: Refuse): TorchTensor {
  const [storage, offset, size, stride] = args;
  const element = storage instanceof Storage ? dtype ?? storage.dtype : null;
  if (!(storage instanceof Storage) || element === null) {
    return refuse(at, 'a tensor has no storage of a known type');
  }
  const shape = sizes(size);
  const strides = sizes(stride);
  if (!isSize(offset) || shape === null || strides === null || shape.length !== strides.length) {
    return refuse(at, 'a tensor has an offset, dimensions or strides that are not whole numbers from 0 to 2^53');
  }
  if (shape.length > MOST_DIMENSIONS) {
    return refuse(at, `a tensor has ${shape.length} dimensions, more than the ${MOST_DIMENSIONS} that PyTorch allows`);
  }
  const empty = shape.includes(0);
  // Doubles are exact up to 2^53, and beyond it every storage is exceeded all the more.
  const last = shape.reduce((index, count, i) => index + Math.max(0, count - 1) * strides[i], offset);
  const bytes = empty ? 0 : (last + 1) * element.bytes;
  if (bytes > storage.byteLength) {
    return refuse(at, `a tensor of shape [${shape.join(', ')}] reaches to byte ${bytes} of a storage of ${storage.byteLength}`);
  }
  return new TorchTensor(storage, element, offset, shape, strides);
}

function sizes(value: PickleValue | undefined): number[] | null {
  const items = value instanceof Tuple ? value.items : Array.isArray(value) ? value : null;
  return items !== null && items.every(isSize) ? [...items] : null;
}

const isSize = (value: PickleValue | undefined): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
