import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { UserError } from '../errors';
import { openTensorFile } from '../formats/open';
import { OnnxFile } from '../formats/onnx/read';
import { readFailure } from '../formats/read-failure';
import type { TensorFile } from '../formats/tensor-file';
import type { DenseSessions } from '../graph/dense-sessions';
import { CONFIG_KEY } from './embedded-surgery';
import { CKCONV } from './ckconv/index';
import { EVO2 } from './evo2/index';
import { choiceHint, choosesSites, readChoice } from './generic/choice';
import { openChosen } from './generic/index';
import { H3 } from './h3/index';
import { HYENA } from './hyena/index';
import { HYENADNA } from './hyenadna/index';
import { LAUGHING_HYENA } from './laughing-hyena/index';
import { LONGCONV } from './longconv/index';
import { M2BERT } from './m2bert/index';
import { openOnnxModel } from './onnx/index';
import type { Family, LongConvModel, OptionOverrides } from './model';
import { MULTIHYENA } from './multihyena/index';
import { RTF } from './rtf/index';
import { S4 } from './s4/index';
import { STRIPEDHYENA } from './stripedhyena/index';

export const FAMILIES: readonly Family[] = [
  HYENADNA, HYENA, H3, STRIPEDHYENA, EVO2, MULTIHYENA, RTF, LAUGHING_HYENA, LONGCONV, M2BERT, S4, CKCONV,
];

const WEIGHTS = 'model.safetensors';
/** Names that Hugging Face gives to models in several files, and to checkpoints, in the order in which its own code looks for them. */
const SHARD_INDEXES = ['model.safetensors.index.json', 'pytorch_model.bin.index.json'];
const CHECKPOINTS = ['pytorch_model.bin', 'weights.ckpt', 'model.pt'];
const MODEL_FILE = /\.(index\.json|ckpt|pt|pth|bin|onnx)$/;
const CONFIG = 'config.json';
/** A config.json has a few kilobytes; anything beyond this is something else. */
const LARGEST_CONFIG = 1 << 20;

/**
 * Opens a model: a safetensors file, the index of one in several files, a PyTorch checkpoint, an .onnx file (which needs `sessions` to compute its filters), or a folder that holds
 * one of these. A config.json beside the weights is read when it is there. Throws UserError when the file cannot be read, belongs to no known family or is incomplete.
 */
export async function openModel(modelPath: string, options: OptionOverrides = {}, sessions?: DenseSessions): Promise<LongConvModel> {
  const file = await openTensorFile(await weightsPath(path.resolve(modelPath)));
  try {
    if (file instanceof OnnxFile) {
      if (!sessions) throw new Error('An ONNX model is opened where no ONNX Runtime was given.');
      const config = await readConfig(file);
      const choice = choosesSites(config) ? readChoice(config, path.join(path.dirname(file.path), CONFIG)) : undefined;
      return (await openOnnxModel(file, sessions, options, choice)) ?? (await openChosen(file, config, options));
    }
    const config = await readConfig(file);
    if (choosesSites(config)) {
      return await openChosen(file, config, options);
    }
    const family = recognise(file);
    return await family.open(file, config, options);
  } catch (cause) {
    await file.close();
    throw cause;
  }
}

/** What PyTorch puts before the names of a model that it wraps. */
const WRAPPERS = ['module.', '_orig_mod.'];

function recognise(file: TensorFile): Family {
  const verdicts = FAMILIES.map((family) => ({ family, verdict: family.recognise(file) }));
  const matches = verdicts.filter(({ verdict }) => verdict === true);
  if (matches.length === 1) {
    return matches[0].family;
  }
  if (matches.length > 1) {
    throw new UserError(
      `${file.path} fits several families, ${matches.map(({ family }) => family.name).join(' and ')}, and nothing in its tensors decides between them.`,
      'Keep only the tensors of one model in the file.');
  }
  const partial = verdicts.filter(({ verdict }) => typeof verdict === 'string');
  if (partial.length > 0) {
    const guesses = partial.map(({ family, verdict }) => `looks like a ${family.name} model, but ${String(verdict)}`).join('; or it ');
    throw new UserError(`${file.path} ${guesses}.`, 'Check that the file is complete and is a whole model of this family.');
  }
  const wrapper = WRAPPERS.find((prefix) => file.tensors.size > 0 && [...file.tensors.keys()].every((name) => name.startsWith(prefix)));
  const [first] = file.tensors.keys();
  const content = first === undefined ? 'it has no tensors'
    : wrapper !== undefined ? `the names of all its tensors begin with "${wrapper}", which a wrapper (DataParallel, torch.compile) puts before those of its model`
    : `its tensors, such as ${first.slice(0, 80)}, have other names`;
  throw new UserError(
    `${file.path} is not a model of a known family: ${content}.`,
    (wrapper === undefined ? '' : `Save the state dict of the model itself: \`{k.removeprefix("${wrapper}"): v for k, v in state.items()}\`. `)
    + `Its tensors can be viewed, but it has no long convolutions that can be operated on. ${choiceHint(file.tensors)}\n`
    + `The names looked for:\n${FAMILIES.map(({ lookedFor }) => `  ${lookedFor}`).join('\n')}`);
}

/** The weights file of a path that may be a folder. */
async function weightsPath(modelPath: string): Promise<string> {
  const stat = await fs.stat(modelPath).catch((cause: unknown) => { throw readFailure(modelPath, cause); });
  if (!stat.isDirectory()) {
    return modelPath;
  }
  const names = await fs.readdir(modelPath).catch((cause: unknown) => { throw readFailure(modelPath, cause); });
  if (names.includes(WEIGHTS)) {
    return path.join(modelPath, WEIGHTS);
  }
  const other = SHARD_INDEXES.find((name) => names.includes(name)) ?? CHECKPOINTS.find((name) => names.includes(name));
  if (other !== undefined) {
    return path.join(modelPath, other);
  }
  const candidates = names.filter((name) => name.endsWith('.safetensors'));
  if (candidates.length > 0) {
    throw new UserError(`The folder ${modelPath} has no ${WEIGHTS}, but ${candidates.slice(0, 3).join(', ')}.`, 'Give the path of one of these files.');
  }
  const [only, second] = names.filter((name) => MODEL_FILE.test(name)).sort();
  if (only !== undefined && second === undefined) {
    return path.join(modelPath, only);
  }
  if (only !== undefined) {
    throw new UserError(`The folder ${modelPath} has several files that could be the model, such as ${only} and ${second}.`, 'Give the path of one of these files.');
  }
  throw new UserError(`The folder ${modelPath} has no ${WEIGHTS}.`, 'Give the folder of a model, or its .safetensors file.');
}

/** The model's configuration: what an export carries in its metadata, else config.json beside the weights; undefined when there is none. */
async function readConfig(file: TensorFile): Promise<unknown> {
  const configPath = path.join(path.dirname(file.path), CONFIG);
  const text = await configText(file);
  if (text === undefined) {
    return undefined;
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    // The parser quotes a part of the text, which may have lines.
    const why = String(cause instanceof Error ? cause.message : cause).replace(/\s+/g, ' ');
    throw new UserError(`${configPath} is not valid JSON: ${why}.`, 'Correct the file, or move it away to open the model without it.');
  }
}

/** Text of the configuration that belongs to a weights file; undefined when there is none. */
export async function configText(file: TensorFile): Promise<string | undefined> {
  const carried = file.metadata.get(CONFIG_KEY);
  if (carried !== undefined) {
    return carried;
  }
  const configPath = path.join(path.dirname(file.path), CONFIG);
  try {
    const stat = await fs.stat(configPath);
    if (stat.size > LARGEST_CONFIG) {
      throw new UserError(`${configPath} has ${stat.size} bytes, far more than a model configuration.`, 'Move it away to open the model without it.');
    }
    return await fs.readFile(configPath, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && (cause as NodeJS.ErrnoException).code === 'ENOENT') {
      return undefined;
    }
    throw readFailure(configPath, cause);
  }
}
