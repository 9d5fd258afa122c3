import type { Budget } from './budget';
import type { Refuse } from './refusal';
import type { PickleValue, TorchDType } from './values';
import { Dict, GlobalName, Placeholder, Storage, STORAGE_TYPES, TORCH_DTYPES, TorchTensor, Tuple, UnreadableTensor } from './values';
import { viewOf } from './view';

/** Makers of tensors whose data are not a plain view of a storage. */
const UNREADABLE: ReadonlyMap<string, string> = new Map([
  ['torch._utils._rebuild_sparse_tensor', 'a sparse tensor'],
  ['torch._utils._rebuild_sparse_csr_tensor', 'a sparse tensor'],
  ['torch._utils._rebuild_qtensor', 'a quantized tensor'],
  ['torch._utils._rebuild_nested_tensor', 'a nested tensor'],
  ['torch._utils._rebuild_meta_tensor_no_storage', 'a tensor without data (on the meta device)'],
  ['torch._utils._rebuild_device_tensor_from_numpy', 'a tensor of another device, stored as a NumPy array'],
  ['torch._utils._rebuild_device_tensor_from_cpu_tensor', 'a tensor of another device'],
  ['torch._utils._rebuild_wrapper_subclass', 'a tensor of a subclass without storage'],
]);
const DICTS = new Set(['collections.OrderedDict', 'collections.defaultdict', 'collections.Counter', '__builtin__.dict', 'builtins.dict']);
const PARAMETERS = new Set(['torch._utils._rebuild_parameter', 'torch._utils._rebuild_parameter_with_state', 'torch.nn.parameter.Parameter', 'torch.nn.parameter.Buffer']);
const LISTS = new Set(['__builtin__.list', 'builtins.list', '__builtin__.set', 'builtins.set', '__builtin__.frozenset', 'builtins.frozenset']);
const TUPLES = new Set(['torch.Size', '__builtin__.tuple', 'builtins.tuple']);
const REBUILD_SUBCLASS = 'torch._tensor._rebuild_from_type_v2';
const GETATTR = new Set(['__builtin__.getattr', 'builtins.getattr']);

/** Where a call stands, and what it may cost. */
export interface CallContext { readonly at: number; readonly refuse: Refuse; readonly budget: Budget }

/** Memory of one entry of a Map or an array, in bytes. */
const ENTRY_BYTES = 80;

/** What calling `callee` with `args` gives, without calling anything: the few functions that make tensors and containers are known. */
export function callResult(callee: PickleValue, args: readonly PickleValue[], context: CallContext): PickleValue {
  const { at, refuse } = context;
  if (!(callee instanceof GlobalName)) {
    return new Placeholder(callee instanceof Placeholder ? callee.className : 'an object');
  }
  const { name } = callee;
  if (name === 'torch._utils._rebuild_tensor_v2' || name === 'torch._utils._rebuild_tensor') {
    return viewOf(args, null, at, refuse);
  }
  if (name === 'torch._utils._rebuild_tensor_v3') {
    return viewOf(args, torchDType(args[6]), at, refuse);
  }
  if (PARAMETERS.has(name)) {
    const [data] = args;
    return data instanceof TorchTensor || data instanceof UnreadableTensor ? data : refuse(at, 'a parameter is made of something that is not a tensor');
  }
  if (name === REBUILD_SUBCLASS) {
    // (function, type, its arguments, state): a tensor of a subclass, which is read as the tensor that it wraps.
    const [inner, , innerArgs] = args;
    if (!(inner instanceof GlobalName) || inner.name === REBUILD_SUBCLASS || !(innerArgs instanceof Tuple)) {
      return refuse(at, 'a tensor of a subclass is made of something that is not a tensor');
    }
    return callResult(inner, innerArgs.items, context);
  }
  if (DICTS.has(name)) {
    return dictOf(args, context);
  }
  if (LISTS.has(name)) {
    return listOf(args, context);
  }
  if (TUPLES.has(name)) {
    return args[0] instanceof Tuple ? args[0] : new Tuple(listOf(args, context));
  }
  const unreadable = UNREADABLE.get(name);
  if (unreadable !== undefined) {
    return new UnreadableTensor(unreadable);
  }
  if (GETATTR.has(name) && args.length === 2 && typeof args[1] === 'string') {
    const [owner, attribute] = args;
    const ownerName = owner instanceof GlobalName ? owner.name : owner instanceof Placeholder ? owner.className : 'object';
    return new GlobalName(`${ownerName}.${attribute}`);
  }
  return new Placeholder(name);
}

/** A dict with the pairs of its argument: a dict, or (as OrderedDict is pickled by Python 2) a list of pairs. */
function dictOf(args: readonly PickleValue[], { at, budget }: CallContext): Dict {
  const dict = new Dict();
  const content = args.find((arg) => arg instanceof Dict || Array.isArray(arg));
  const pairs = content instanceof Dict ? [...content.entries] : Array.isArray(content) ? content.map((pair) => (pair instanceof Tuple ? pair.items : [])) : [];
  budget.charge(ENTRY_BYTES * pairs.length, at);
  for (const [key, value] of pairs) {
    if (key !== undefined && value !== undefined) {
      dict.entries.set(key, value);
    }
  }
  return dict;
}

/** A new list with the items of the first argument. */
function listOf(args: readonly PickleValue[], { at, budget }: CallContext): PickleValue[] {
  const [content] = args;
  const items = Array.isArray(content) ? content : content instanceof Tuple ? content.items : [];
  budget.charge(ENTRY_BYTES * items.length, at);
  return [...items];
}

function torchDType(value: PickleValue | undefined): TorchDType | null {
  return value instanceof GlobalName && value.name.startsWith('torch.') ? TORCH_DTYPES.get(value.name.slice('torch.'.length)) ?? null : null;
}

/**
 * What a persistent id stands for: a storage ('storage', type, key, device, count[, view]) or, in legacy files, a class with the text of
 * its source ('module', class, file, text).
 */
export function persistentValue(id: PickleValue, at: number, refuse: Refuse): Storage | GlobalName {
  const [kind, type, key, , count, view] = id instanceof Tuple ? id.items : [];
  if (kind === 'module' && type instanceof GlobalName) {
    return type;
  }
  if (kind !== 'storage' || !(type instanceof GlobalName) || typeof key !== 'string' || typeof count !== 'number' || !Number.isSafeInteger(count) || count < 0) {
    return refuse(at, 'the pickle refers to something outside it that is not a storage of a valid size');
  }
  if (view !== undefined && view !== null) {
    return refuse(at, 'a storage is a part of another one, a form that PyTorch gave up in 2017');
  }
  if (type.name === 'torch.storage.UntypedStorage' || type.name === 'torch.UntypedStorage') {
    return new Storage(key, null, count);
  }
  const element = type.name.startsWith('torch.') ? STORAGE_TYPES.get(type.name.slice('torch.'.length).replace(/^cuda\./, '')) : undefined;
  const dtype = element === undefined ? undefined : TORCH_DTYPES.get(element);
  if (dtype === undefined) {
    return refuse(at, `storages of type ${type.name.slice(0, 80)} are not known`, 'Save the state dict as safetensors where PyTorch runs.');
  }
  return new Storage(key, dtype, count);
}
