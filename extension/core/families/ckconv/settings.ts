import * as path from 'node:path';
import { UserError } from '../../errors';
import type { TensorFile } from '../../formats/tensor-file';
import type { ModelOption, OptionOverrides } from '../model';
import { ConfigFields } from '../shared/config-fields';
import { chooseOption, refuseOtherOptions, wholeNumber } from '../shared/options';
import type { CkLayout } from './layout';

export interface CkSettings {
  readonly omega0: number;
  readonly trainLength: number;
  readonly options: readonly ModelOption[];
  readonly fields: ConfigFields;
}

/** What no weight tells: the frequency of the sines and the length of the grid. Throws UserError where nothing does. */
export async function readSettings(file: TensorFile, layout: CkLayout, config: unknown, given: OptionOverrides, embedded: OptionOverrides | undefined): Promise<CkSettings> {
  refuseOtherOptions('CKCNN', given, ['omega_0', 'train_length']);
  const fields = new ConfigFields(config, path.join(path.dirname(file.path), 'config.json'));
  fields.expectFixed('CKCNN', { model: 'CKCNN', kernelnet_activation_function: 'Sine', kernelnet_norm_type: 'LayerNorm', pool: false });
  const omega0 = required(file, 'omega_0', { given, embedded, configured: fields.positive('kernelnet_omega_0') }, nameValue(file.path), "the file's name");
  const trainLength = required(file, 'train_length', { given, embedded, configured: fields.count('train_length') }, await storedLength(file, layout), 'the file');
  if (typeof omega0.value !== 'number' || !(omega0.value > 0)) {
    throw new UserError(`The option "omega_0" must be a number above 0, not ${String(omega0.value)}.`);
  }
  return { omega0: omega0.value, trainLength: wholeNumber(trainLength), options: [omega0, trainLength], fields };
}

function required(file: TensorFile, name: string, sources: Parameters<typeof chooseOption>[1], found: number | undefined, where: string): ModelOption {
  if (found === undefined && sources.given[name] === undefined && sources.embedded?.[name] === undefined && sources.configured === undefined) {
    throw new UserError(`${file.path} is a CKCNN, but nothing says its ${name}, on which its kernels depend.`, `Give it as an option: --set ${name}=VALUE.`);
  }
  return chooseOption(name, sources, found ?? 0, where);
}

/** Released files have the frequency in their name, rounded: ..._kernomega0_43.46_... */
function nameValue(file: string): number | undefined {
  const match = /kernomega0_(\d+(?:\.\d+)?)/.exec(path.basename(file));
  return match ? Number(match[1]) : undefined;
}

/** The length that the file's buffers give, all alike. */
async function storedLength(file: TensorFile, { trainLengths }: CkLayout): Promise<number | undefined> {
  let length: number | undefined;
  for (const name of trainLengths) {
    const info = file.tensors.get(name)!;
    const bytes = Buffer.from(await file.readBytes(name));
    const value = info.dtype === 'I32' ? bytes.readInt32LE() : info.dtype === 'I64' ? Number(bytes.readBigInt64LE()) : (await file.readFloat32(name))[0];
    if (value < 1) continue;
    if (length !== undefined && value !== length) {
      throw new UserError(`${file.path} has kernels that were trained on inputs of ${length} and of ${value} samples (${name}), which cannot run together.`);
    }
    length = value;
  }
  return length;
}
