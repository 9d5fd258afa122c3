import type * as fs from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { readAt } from '../ranged-read';
import { Budget } from './budget';
import type { StoragePosition } from './checkpoint-file';
import { LARGEST_PICKLE } from './limits';
import type { Refuse } from './refusal';
import type { Unpickled } from './unpickle';
import { EndOfBytes, unpickle } from './unpickle';
import type { PickleValue, Storage } from './values';
import type { ZipArchive, ZipEntry } from './zip';
import { dataPosition, readZip } from './zip';

const PICKLE = 'data.pkl';
const LARGEST_BYTEORDER = 16;

export interface OpenedCheckpoint { readonly root: PickleValue; readonly positionOf: StoragePosition }

/** Reads what torch.save has written since PyTorch 1.6: a ZIP archive of one pickle and a file for each storage. */
export async function openZipCheckpoint(handle: fs.FileHandle, file: string, fileSize: number, refuse: Refuse): Promise<OpenedCheckpoint> {
  const archive = await readZip(handle, file, fileSize, refuse);
  const prefix = findPrefix(archive, refuse);
  const pickle = archive.entries.get(prefix + PICKLE)!;
  await refuseOtherByteOrder(handle, file, archive, prefix, refuse);
  if (pickle.size > LARGEST_PICKLE) {
    refuse(pickle.headerAt, `its pickle has ${pickle.size} bytes, more than the limit of ${LARGEST_PICKLE}`);
  }
  const { bytes, position } = await readEntry(handle, file, archive, pickle, refuse);
  const storageEntry = (storage: Storage): ZipEntry => archive.entries.get(`${prefix}data/${storage.key}`)
    ?? refuse(position, `the pickle refers to storage ${JSON.stringify(storage.key.slice(0, 80))}, which the archive does not have`);
  const { value, storages } = read(bytes, position, fileSize, refuse);
  for (const storage of storages.values()) {
    const entry = storageEntry(storage);
    if (entry.compressed) {
      refuse(entry.headerAt, `storage ${JSON.stringify(storage.key)} is compressed, which torch.save never does`, 'Save the checkpoint again with torch.save.');
    }
    if (storage.byteLength > entry.size) {
      refuse(entry.headerAt, `storage ${JSON.stringify(storage.key)} has ${entry.size} bytes, but its tensors need ${storage.byteLength}`);
    }
  }
  const positions = new Map<string, Promise<number>>();
  return {
    root: value,
    positionOf: (storage) => {
      const entry = storageEntry(storage);
      const known = positions.get(entry.name) ?? dataPosition(handle, file, archive, entry, refuse);
      positions.set(entry.name, known);
      return known;
    },
  };
}

function read(bytes: Uint8Array, base: number, fileSize: number, refuse: Refuse): Unpickled {
  try {
    return unpickle(bytes, 0, { base, refuse, budget: new Budget(fileSize, refuse) });
  } catch (error) {
    if (error instanceof EndOfBytes) {
      return refuse(base + bytes.length, 'the pickle ends before it is complete');
    }
    throw error;
  }
}

/** All entries lie in one folder, named after the file that was saved. */
function findPrefix(archive: ZipArchive, refuse: Refuse): string {
  const pickles = [...archive.entries.keys()].filter((name) => name === PICKLE || /^[^/]+\/data\.pkl$/.test(name));
  if (pickles.length !== 1) {
    refuse(archive.dataEnd, pickles.length === 0 ? 'the archive has no data.pkl: it is some other ZIP file' : 'the archive has more than one data.pkl', 'Choose a file that torch.save has written.');
  }
  const prefix = pickles[0].slice(0, -PICKLE.length);
  if (archive.entries.has(`${prefix}constants.pkl`) || [...archive.entries.keys()].some((name) => name.startsWith(`${prefix}code/`))) {
    refuse(archive.dataEnd, 'it is a TorchScript program, not a state dict', 'Save the state dict of the module with torch.save, or as safetensors.');
  }
  return prefix;
}

async function refuseOtherByteOrder(handle: fs.FileHandle, file: string, archive: ZipArchive, prefix: string, refuse: Refuse): Promise<void> {
  const entry = archive.entries.get(`${prefix}byteorder`);
  if (!entry) {
    return;
  }
  const text = entry.size <= LARGEST_BYTEORDER ? Buffer.from((await readEntry(handle, file, archive, entry, refuse)).bytes).toString('latin1') : '';
  if (text !== 'little') {
    refuse(entry.headerAt, 'its numbers are not in little-endian byte order', 'Save it again on a little-endian machine.');
  }
}

async function readEntry(handle: fs.FileHandle, file: string, archive: ZipArchive, entry: ZipEntry, refuse: Refuse): Promise<{ bytes: Uint8Array; position: number }> {
  const position = await dataPosition(handle, file, archive, entry, refuse);
  const bytes = new Uint8Array(entry.size);
  await readAt(handle, file, bytes, position);
  if (crc32(bytes) !== entry.crc) {
    refuse(position, `the checksum of ${JSON.stringify(entry.name.slice(0, 80))} does not fit its content: the file is damaged`);
  }
  return { bytes, position };
}
