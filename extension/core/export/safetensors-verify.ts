import { UserError } from '../errors';
import type { TensorFile } from '../formats/tensor-file';
import { firstDifference } from './compare-tensors';
import type { Changes } from './safetensors-changes';

/**
 * Checks a written export, opened again, against its source: every tensor that the surgery does not touch has the same type, shape and bytes,
 * every changed or new one is there, and nothing else. Throws UserError. Copies are compared as they are made.
 */
export async function verifySafetensors(source: TensorFile, written: TensorFile, changes: Changes): Promise<void> {
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
  }
  const changed = await firstDifference(source, written, [...expected].filter((name) => !added.has(name) && !changes.replaced.has(name)));
  if (changed !== undefined) {
    throw broken(`it changed tensor ${changed}, which the plan does not touch`);
  }
}

function broken(what: string): UserError {
  return new UserError(`The written file was not kept: ${what}.`, 'Try again; if it happens again, the disk may be failing.');
}
