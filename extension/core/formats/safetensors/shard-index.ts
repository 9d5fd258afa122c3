import { isUtf8 } from 'node:buffer';
import * as fs from 'node:fs/promises';
import { UserError } from '../../errors';
import { quoted } from '../quoted';
import { readFailure } from '../read-failure';
import { JsonScanner } from './json-scanner';
import type { Refuse } from './refusal';

/** Which file of a model in several files holds which tensor. */
export interface ShardIndex {
  /** Tensor name to file name, in the order of the index. */
  readonly weightMap: ReadonlyMap<string, string>;
  /** Names of the files, without folders, in alphabetical order. */
  readonly shards: readonly string[];
}

/** Far above the index of any model: one has a line for each tensor. */
const LARGEST_INDEX = 64 << 20;
const MOST_TENSORS = 100_000;
const MOST_SHARDS = 2000;
const LONGEST_FILE_NAME = 255;

export const isShardIndex = (file: string): boolean => file.toLowerCase().endsWith('.index.json');

/**
 * Reads `*.safetensors.index.json` (or the like of PyTorch checkpoints), as Hugging Face writes it: {"metadata": {...}, "weight_map": {tensor: file}}.
 * Files are named without folders, so that an index can never lead out of its own. Throws UserError with the byte offset and the reason.
 */
export async function readShardIndex(file: string): Promise<ShardIndex> {
  const refuse: Refuse = (_rule, offset, reason, hint) => {
    throw new UserError(`Cannot read ${file} as the index of a model in several files: at byte ${offset}, ${reason}.`, hint ?? 'Download the model again.');
  };
  const bytes = await readWhole(file, refuse);
  if (!isUtf8(bytes)) {
    refuse('InvalidHeader', 0, 'the index is not UTF-8 text');
  }
  const scanner = new JsonScanner(bytes, 0, refuse, 'the index');
  let weightMap: Map<string, string> | undefined;
  scanner.object('an object', (key, at) => {
    if (key !== 'weight_map') {
      return scanner.skipValue();
    }
    if (weightMap) {
      scanner.fail('has weight_map twice', at);
    }
    weightMap = scanWeightMap(scanner, refuse);
  });
  scanner.end();
  if (!weightMap || weightMap.size === 0) {
    return refuse('InvalidHeader', 0, 'the index has no weight_map with tensors');
  }
  const shards = [...new Set(weightMap.values())].sort();
  if (shards.length > MOST_SHARDS) {
    refuse('TooManyEntries', 0, `the index names ${shards.length} files, more than any model has`);
  }
  return { weightMap, shards };
}

async function readWhole(file: string, refuse: Refuse): Promise<Uint8Array> {
  try {
    const { size } = await fs.stat(file);
    if (size > LARGEST_INDEX) {
      return refuse('HeaderTooLarge', LARGEST_INDEX, `the index has ${size} bytes, more than the limit of ${LARGEST_INDEX}`);
    }
    return await fs.readFile(file);
  } catch (cause) {
    throw readFailure(file, cause);
  }
}

function scanWeightMap(scanner: JsonScanner, refuse: Refuse): Map<string, string> {
  const weightMap = new Map<string, string>();
  scanner.object('an object of file names as weight_map', (tensor, at) => {
    const shard = scanner.string(`the name of the file that holds tensor ${quoted(tensor)}`);
    if (weightMap.has(tensor)) {
      refuse('DuplicateName', at, `the index names tensor ${quoted(tensor)} twice`);
    }
    if (weightMap.size >= MOST_TENSORS) {
      refuse('TooManyEntries', at, `the index has more than ${MOST_TENSORS} tensors`);
    }
    refusePath(shard, at, refuse);
    weightMap.set(tensor, shard);
  });
  return weightMap;
}

/** Both kinds of slashes, drive letters and NUL on every system: an index is made on one and read on another. */
function refusePath(shard: string, at: number, refuse: Refuse): void {
  if (shard === '' || shard === '.' || shard === '..' || /[/\\:\0]/.test(shard) || Buffer.byteLength(shard) > LONGEST_FILE_NAME) {
    refuse('InvalidHeader', at, `the index places a tensor in ${quoted(shard)}, which is not the plain name of a file beside it`, 'Do not use this model; ask where it comes from.');
  }
  if (isShardIndex(shard)) {
    refuse('InvalidHeader', at, `the index places a tensor in ${quoted(shard)}, which is an index itself`);
  }
}
