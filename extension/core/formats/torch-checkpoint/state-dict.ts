import { UserError } from '../../errors';
import { elementCount } from '../dtype';
import { quoted } from '../quoted';
import type { PickleValue } from './values';
import { Dict, Placeholder, TorchTensor, Tuple, UnreadableTensor } from './values';

/** The weights of a checkpoint, and what else it holds. */
export interface StateDict {
  readonly tensors: ReadonlyMap<string, TorchTensor>;
  /** One sentence each. */
  readonly notes: readonly string[];
}

/** Keys under which training programs keep the weights, most telling first. */
const WRAPPERS = ['state_dict', 'model_state_dict', 'model_state', 'module', 'model', 'net', 'network', 'state'];
const DEEPEST_WRAPPING = 4;
const DEEPEST_NESTING = 32;
const LONGEST_NAME = 1024;
const MOST_TENSORS = 100_000;
/** Bytes beyond the file's size that a tensor may have whose strides repeat elements. */
const REPEATED_BYTES = 64 << 20;
const MOST_VISITS = 300_000;

/**
 * Finds the weights in what a checkpoint holds: a state dict as it is, under one of WRAPPERS (Lightning, Composer and others), or the
 * parameters and buffers of a whole pickled module. Names are joined by dots. Throws UserError where a weight cannot be given as a
 * plain tensor, or two would have one name.
 */
export function findStateDict(root: PickleValue, file: string, fileSize: number): StateDict {
  const [weights, wrapper] = unwrap(root, 0);
  const collector = new Collector(file, fileSize);
  collector.collect(weights, '', []);
  const inside = wrapper.length > 0 ? ` (those of ${wrapper.join('.')})` : '';
  const notes = [`A PyTorch checkpoint, read without running any of its code: its tensors${inside} can be looked at, and exported as safetensors.`];
  const rest = wrapper.length > 0 ? leftOut(root, wrapper, weights) : [];
  if (rest.length > 0) {
    notes.push(`Tensors of the checkpoint that are no weights are left out: ${rest.join(', ')}.`);
  }
  return { tensors: collector.tensors, notes };
}

/** Follows wrappers for as long as there are weights inside. */
function unwrap(value: PickleValue, depth: number): [PickleValue, string[]] {
  const entries = entriesOf(value);
  if (depth < DEEPEST_WRAPPING && entries && !isModule(value)) {
    for (const key of WRAPPERS) {
      const inner = entries.get(key);
      if (inner === undefined || !entriesOf(inner)) {
        continue;
      }
      const [weights, path] = unwrap(inner, depth + 1);
      if (path.length > 0 || isModule(weights) || hasTensors(weights)) {
        return [weights, [key, ...path]];
      }
    }
  }
  return [value, []];
}

function entriesOf(value: PickleValue): ReadonlyMap<PickleValue, PickleValue> | null {
  if (value instanceof Dict) {
    return value.entries;
  }
  if (value instanceof Placeholder) {
    return value.state instanceof Dict ? value.state.entries : value.entries.size > 0 ? value.entries : null;
  }
  return null;
}

const isTensor = (value: PickleValue): value is TorchTensor | UnreadableTensor => value instanceof TorchTensor || value instanceof UnreadableTensor;
const isModule = (value: PickleValue): boolean => value instanceof Placeholder && value.state instanceof Dict && value.state.entries.has('_parameters') && value.state.entries.has('_modules');
const hasTensors = (value: PickleValue): boolean => [...entriesOf(value)?.values() ?? []].some((inner) => isTensor(inner) || [...entriesOf(inner)?.values() ?? []].some(isTensor));

class Collector {
  readonly tensors = new Map<string, TorchTensor>();
  private visits = 0;

  constructor(private readonly file: string, private readonly fileSize: number) {}

  /** `owners` are the containers that `value` lies in: one that holds itself is walked once. */
  collect(value: PickleValue, path: string, owners: readonly PickleValue[]): void {
    if (isTensor(value)) {
      return this.add(path, value);
    }
    if (value === null || typeof value !== 'object' || owners.includes(value)) {
      return;
    }
    // Containers that hold each other many times over stand for more paths than anyone could walk.
    if (++this.visits > MOST_VISITS || owners.length > DEEPEST_NESTING) {
      throw this.refusal(owners.length > DEEPEST_NESTING ? `its containers are nested more than ${DEEPEST_NESTING} levels deep` : `it has more than ${MOST_VISITS} containers`);
    }
    const inner = [...owners, value];
    for (const [key, child] of isModule(value) ? this.moduleChildren(value) : childrenOf(value)) {
      this.collect(child, join(path, key), inner);
    }
  }

  /** Of a pickled torch.nn.Module: what its state_dict() would give. */
  private *moduleChildren(module: PickleValue): Iterable<[string, PickleValue]> {
    const state = entriesOf(module) ?? new Map<PickleValue, PickleValue>();
    const unsaved = state.get('_non_persistent_buffers_set');
    for (const part of ['_parameters', '_buffers', '_modules']) {
      for (const child of childrenOf(state.get(part) ?? null)) {
        if (part !== '_buffers' || !(Array.isArray(unsaved) && unsaved.includes(child[0]))) {
          yield child;
        }
      }
    }
  }

  private add(name: string, tensor: TorchTensor | UnreadableTensor): void {
    if (name.length > LONGEST_NAME || this.tensors.size >= MOST_TENSORS) {
      throw this.refusal(name.length > LONGEST_NAME ? `the name of tensor ${quoted(name)} has ${name.length} characters` : `it has more than ${MOST_TENSORS} tensors`);
    }
    if (tensor instanceof UnreadableTensor || tensor.dtype.dtype === null) {
      throw this.refusal(`${quoted(name)} is ${tensor instanceof UnreadableTensor ? tensor.what : `of type ${tensor.dtype.name}`}, which safetensors cannot hold`);
    }
    const bytes = elementCount(tensor.shape) * tensor.dtype.bytes;
    if (bytes > this.fileSize + REPEATED_BYTES) {
      throw this.refusal(`${quoted(name)} repeats a few elements up to ${bytes} bytes, far more than its file has`);
    }
    if (this.tensors.has(name)) {
      throw this.refusal(`two of its tensors would be named ${quoted(name)}`);
    }
    this.tensors.set(name, tensor);
  }

  private refusal(why: string): UserError {
    return new UserError(`Cannot read the weights of ${this.file}: ${why}.`, 'Save the state dict as safetensors where PyTorch runs, with plain dense tensors only.');
  }
}

const join = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`);

function* childrenOf(value: PickleValue): Iterable<[string, PickleValue]> {
  const items = Array.isArray(value) ? value : value instanceof Tuple ? value.items : value instanceof Placeholder ? value.items : [];
  for (const [index, item] of items.entries()) {
    yield [String(index), item];
  }
  for (const [key, inner] of entriesOf(value) ?? []) {
    yield [typeof key === 'object' && key !== null ? 'key' : String(key), inner];
  }
}

/** What lies beside the weights on every level down to them, where it has tensors: "optimizer_states (24 tensors)". */
function leftOut(root: PickleValue, wrapper: readonly string[], weights: PickleValue): string[] {
  const seen = new Set([weights]);
  const found: string[] = [];
  let level = root;
  for (const [depth, step] of wrapper.entries()) {
    for (const [key, beside] of childrenOf(level)) {
      const count = key === step ? 0 : countTensors(beside, seen);
      if (count > 0) {
        found.push(`${[...wrapper.slice(0, depth), key].join('.').slice(0, 80)} (${count} ${count === 1 ? 'tensor' : 'tensors'})`);
      }
    }
    level = entriesOf(level)?.get(step) ?? null;
  }
  return found.length > 5 ? [...found.slice(0, 4), `${found.length - 4} others`] : found;
}

function countTensors(root: PickleValue, seen: Set<PickleValue>): number {
  let count = 0;
  const waiting = [root];
  for (let value = waiting.pop(); value !== undefined; value = waiting.pop()) {
    if (isTensor(value)) {
      count++;
    } else if (value !== null && typeof value === 'object' && !seen.has(value)) {
      seen.add(value);
      for (const [, inner] of childrenOf(value)) {
        waiting.push(inner);
      }
    }
  }
  return count;
}
