import { createHash } from 'node:crypto';
import { UserError } from '../errors';
import { fingerprint, sha256 } from '../formats/fingerprint';
import { isSharded } from '../formats/safetensors/sharded';
import type { TensorFile } from '../formats/tensor-file';
import type { Changes } from './safetensors-changes';

/** Bytes of a tensor read at a time. */
const READ_AT_ONCE = 1 << 23;

/**
 * Checks a written export, opened again, against its source: a copy has the same SHA-256 in every file; otherwise every tensor that the
 * surgery does not touch has the same type, shape and SHA-256, every changed or new one is there, and nothing else. Throws UserError.
 */
export async function verifySafetensors(source: TensorFile, fingerprintOfSource: string, written: TensorFile, changes: Changes): Promise<void> {
  if (changes.identical) {
    return verifyCopy(source, fingerprintOfSource, written);
  }
  const added = new Map(changes.added.map((entry) => [entry.name, entry]));
  const expected = new Set([...[...source.tensors.keys()].filter((name) => !changes.dropped.has(name)), ...added.keys()]);
  const unexpected = [...written.tensors.keys()].find((name) => !expected.has(name));
  if (unexpected !== undefined) {
    throw broken(`it has tensor ${unexpected}, which it should not have`);
  }
  for (const name of expected) {
    const model = added.get(name) ?? changes.replaced.get(name) ?? source.tensors.get(name)!;
    const actual = written.tensors.get(name);
    if (actual?.dtype !== model.dtype || JSON.stringify(actual.shape) !== JSON.stringify(model.shape)) {
      throw broken(actual ? `its tensor ${name} has another type or shape` : `it lacks tensor ${name}`);
    }
    if (!added.has(name) && !changes.replaced.has(name) && await tensorHash(source, name) !== await tensorHash(written, name)) {
      throw broken(`it changed tensor ${name}, which the plan does not touch`);
    }
  }
}

async function verifyCopy(source: TensorFile, fingerprintOfSource: string, written: TensorFile): Promise<void> {
  if (!isSharded(source)) {
    if (await fingerprint(written.path) !== fingerprintOfSource) {
      throw broken(`it is not a copy of ${source.path}`);
    }
    return;
  }
  const [originals, copies] = [source.files ?? [source.path], written.files ?? [written.path]];
  for (const [i, original] of originals.entries()) {
    if (await sha256(original) !== await sha256(copies[i])) {
      throw broken(`${copies[i]} is not a copy of ${original}`);
    }
  }
}

async function tensorHash(file: TensorFile, name: string): Promise<string> {
  const hash = createHash('sha256');
  const byteLength = file.tensors.get(name)?.byteLength ?? 0;
  for (let begin = 0; begin < byteLength; begin += READ_AT_ONCE) {
    hash.update(await file.readBytes(name, begin, Math.min(byteLength, begin + READ_AT_ONCE)));
  }
  return hash.digest('hex');
}

function broken(what: string): UserError {
  return new UserError(`The written file was not kept: ${what}.`, 'Try again; if it happens again, the disk may be failing.');
}
