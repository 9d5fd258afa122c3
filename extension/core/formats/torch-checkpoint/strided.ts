/** Elements whose places are worked out at a time. */
const PIECE_ELEMENTS = 1 << 18;
/** Bytes that one read spans at most. */
const LONGEST_SPAN = 8 << 20;
/** Reading on over a gap is cheaper than a read of its own. */
const SMALL_GAP = 1 << 14;

export interface StridedView {
  readonly shape: readonly number[];
  /** In elements. */
  readonly strides: readonly number[];
  /** In elements. */
  readonly offset: number;
  readonly elementBytes: number;
}

/** Reads bytes of the storage from `position` on, in bytes. */
export type ReadStorage = (target: Uint8Array, position: number) => Promise<void>;

/** Whether row-major order is the order in the storage. Strides of dimensions of size 1 do not count. */
export function isContiguous({ shape, strides }: Pick<StridedView, 'shape' | 'strides'>): boolean {
  let expected = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] !== 1 && strides[i] !== expected) {
      return shape.includes(0);
    }
    expected *= shape[i];
  }
  return true;
}

/** Fills `target` with the bytes from `from` on of a view's elements in row-major order. Memory is bounded whatever the view. */
export async function gather(view: StridedView, target: Uint8Array, from: number, read: ReadStorage): Promise<void> {
  const { elementBytes } = view;
  const end = from + target.length;
  for (let first = Math.floor(from / elementBytes); first * elementBytes < end;) {
    const count = Math.min(PIECE_ELEMENTS, Math.ceil(end / elementBytes) - first);
    const elements = new Uint8Array(count * elementBytes);
    await gatherElements(view, elements, first, count, read);
    const begin = first * elementBytes;
    target.set(elements.subarray(Math.max(0, from - begin), Math.min(elements.length, end - begin)), Math.max(0, begin - from));
    first += count;
  }
}

async function gatherElements(view: StridedView, target: Uint8Array, first: number, count: number, read: ReadStorage): Promise<void> {
  const { elementBytes } = view;
  const places = placesOf(view, first, count);
  // In the order of the storage, so that elements near each other come with one read.
  const order = Uint32Array.from({ length: count }, (_, i) => i).sort((a, b) => places[a] - places[b]);
  for (let i = 0; i < count;) {
    const start = places[order[i]];
    let next = i + 1;
    while (next < count && (places[order[next]] - places[order[next - 1]]) * elementBytes <= SMALL_GAP && (places[order[next]] + 1 - start) * elementBytes <= LONGEST_SPAN) {
      next++;
    }
    const bytes = new Uint8Array((places[order[next - 1]] + 1 - start) * elementBytes);
    await read(bytes, start * elementBytes);
    for (; i < next; i++) {
      const at = (places[order[i]] - start) * elementBytes;
      target.set(bytes.subarray(at, at + elementBytes), order[i] * elementBytes);
    }
  }
}

/** Indices in the storage of `count` elements in row-major order from `first` on. */
function placesOf({ shape, strides, offset }: StridedView, first: number, count: number): Float64Array {
  const index = shape.map(() => 0);
  let place = offset;
  for (let i = shape.length - 1, rest = first; i >= 0; i--) {
    index[i] = rest % shape[i];
    rest = Math.floor(rest / shape[i]);
    place += index[i] * strides[i];
  }
  const places = new Float64Array(count);
  for (let n = 0; n < count; n++) {
    places[n] = place;
    for (let i = shape.length - 1; i >= 0; i--) {
      place += strides[i];
      if (++index[i] < shape[i]) {
        break;
      }
      place -= index[i] * strides[i];
      index[i] = 0;
    }
  }
  return places;
}
