import type * as fs from 'node:fs/promises';
import { readAt } from '../ranged-read';
import { Budget } from './budget';
import { LARGEST_PICKLE } from './limits';
import type { Refuse } from './refusal';
import { EndOfBytes, unpickle } from './unpickle';
import type { PickleValue, Storage } from './values';
import { Dict } from './values';
import type { OpenedCheckpoint } from './zip-checkpoint';

const MAGIC = 0x1950a86a20f9469cfc6cn;
const PROTOCOL = 1001;
/** Magic, protocol, system, object and storage keys. */
const PICKLES = 5;
/** Which of them is the object that was saved. */
const OBJECT = 3;
const FIRST_READ = 1 << 20;
const COUNT_BYTES = 8;

/**
 * Reads what torch.save wrote up to PyTorch 1.5 (and with `_use_new_zipfile_serialization=False`): five pickles in a row, then for each
 * storage the number of its elements and their bytes.
 */
export async function openLegacyCheckpoint(handle: fs.FileHandle, file: string, fileSize: number, refuse: Refuse): Promise<OpenedCheckpoint> {
  const { values: [magic, protocol, system, root, keys], storages, end } = await readPickles(handle, file, fileSize, refuse);
  if (magic !== MAGIC) {
    refuse(0, 'it does not begin as one: it is a pickle of something else', 'Choose a file that torch.save has written.');
  }
  if (protocol !== PROTOCOL || !(system instanceof Dict) || system.entries.get('little_endian') !== true) {
    refuse(0, protocol === PROTOCOL ? 'its numbers are not in little-endian byte order' : `it has version ${String(protocol)}, not ${PROTOCOL}`);
  }
  const positions = new Map<string, number>();
  let at = end;
  for (const key of Array.isArray(keys) ? keys : refuse(end, 'it does not list its storages')) {
    const storage = typeof key === 'string' ? storages.get(key) : undefined;
    if (!storage || typeof key !== 'string' || positions.has(key)) {
      return refuse(end, `it lists storage ${JSON.stringify(String(key).slice(0, 80))}, which the object does not use or which was listed before`);
    }
    at = await skipStorage(handle, file, fileSize, storage, at, refuse);
    positions.set(key, at - storage.byteLength);
  }
  const missing = [...storages.keys()].find((key) => !positions.has(key));
  if (missing !== undefined) {
    refuse(end, `it does not list storage ${JSON.stringify(missing.slice(0, 80))}, which its tensors use`);
  }
  return { root, positionOf: async (storage) => positions.get(storage.key)! };
}

interface Pickles { readonly values: PickleValue[]; readonly storages: ReadonlyMap<string, Storage>; readonly end: number }

async function readPickles(handle: fs.FileHandle, file: string, fileSize: number, refuse: Refuse): Promise<Pickles> {
  for (let size = Math.min(FIRST_READ, fileSize); ; size = Math.min(4 * size, fileSize, LARGEST_PICKLE)) {
    const bytes = new Uint8Array(size);
    await readAt(handle, file, bytes, 0);
    try {
      return parsePickles(bytes, fileSize, refuse);
    } catch (error) {
      if (!(error instanceof EndOfBytes)) {
        throw error;
      }
      if (size === fileSize) {
        return refuse(fileSize, 'the file ends inside a pickle: it is truncated');
      }
      if (size === LARGEST_PICKLE) {
        return refuse(size, `its pickles have more than the limit of ${LARGEST_PICKLE} bytes`);
      }
    }
  }
}

function parsePickles(bytes: Uint8Array, fileSize: number, refuse: Refuse): Pickles {
  const budget = new Budget(fileSize, refuse);
  const values: PickleValue[] = [];
  let storages: ReadonlyMap<string, Storage> = new Map();
  let end = 0;
  for (let i = 0; i < PICKLES; i++) {
    const pickle = unpickle(bytes, end, { base: 0, refuse, budget });
    values.push(pickle.value);
    end = pickle.end;
    storages = i === OBJECT ? pickle.storages : storages;
    // Any other pickle is told from a checkpoint by its first value.
    if (i === 0 && pickle.value !== MAGIC) {
      return { values, storages, end };
    }
  }
  return { values, storages, end };
}

/** Checks the storage at `at`; returns the offset after it. */
async function skipStorage(handle: fs.FileHandle, file: string, fileSize: number, storage: Storage, at: number, refuse: Refuse): Promise<number> {
  const end = at + COUNT_BYTES + storage.byteLength;
  if (end > fileSize) {
    refuse(fileSize, `the file ends inside storage ${JSON.stringify(storage.key.slice(0, 80))}, which needs it to go on to byte ${end}: it is truncated`);
  }
  const count = Buffer.alloc(COUNT_BYTES);
  await readAt(handle, file, count, at);
  if (count.readBigInt64LE() !== BigInt(storage.count)) {
    refuse(at, `storage ${JSON.stringify(storage.key.slice(0, 80))} is said to have ${count.readBigInt64LE()} elements here, and ${storage.count} in the pickle`);
  }
  return end;
}
