import * as path from 'node:path';
import { UserError } from '../errors';
import type { LongConvModel } from '../families/model';
import { defaultRunLength } from '../families/site-shape';
import { openTensorFile } from '../formats/open';
import type { TensorFile } from '../formats/tensor-file';
import { mulberry32 } from '../validation/statistics';
import { readFloatInput } from './floats';
import { readLabels } from './labels';
import { loadData } from './load';
import { NOT_SCORED, type Sample, type SampleSet } from './samples';
import { readTokens } from './tokens';
import { windows } from './windows';

/** Share of the tokens that are hidden where the data does not say which (the usual share of masked-language evaluations). */
const HIDDEN_SHARE = 0.15;
export const LABELS = 'labels';
export const TOKEN_TYPES = 'token_type_ids';

/**
 * Data for a model, by its task: windows of tokens and the tokens after them; rows with hidden tokens and their labels; examples with one
 * class each. `length` in samples of time: as asked, or that of the data where it has a fixed one, or the model's default.
 * Throws UserError that says what is wrong with the file.
 */
export async function loadSamples(file: string, model: LongConvModel, length?: number): Promise<SampleSet> {
  const task = model.task ?? 'next-token';
  if (task === 'next-token' && !model.floatInput) {
    const data = await loadData(file, model.tokenizer, model.vocabularySize);
    const wanted = length ?? defaultRunLength(model);
    const samples = windows(data, wanted).map(({ inputs, targets }): Sample => ({ input: inputs, targets }));
    return { path: data.path, kind: data.kind, records: data.records.length, length: wanted, samples, notes: data.notes };
  }
  const absolute = path.resolve(file);
  if (path.extname(absolute).toLowerCase() !== '.safetensors') {
    throw new UserError(`${absolute} cannot be used as data for ${model.name}, whose task is ${task}.`,
      `Give a safetensors file with ${model.floatInput ? 'input' : 'input_ids'}${task === 'features' ? '' : ' and labels'}.`);
  }
  const tensors = await openTensorFile(absolute);
  try {
    const set = task === 'masked-token' ? await maskedRows(tensors, model, length) : await examples(tensors, model, length);
    return { path: absolute, kind: 'safetensors', ...set };
  } finally {
    await tensors.close();
  }
}

type Samples = Pick<SampleSet, 'records' | 'length' | 'samples' | 'notes'>;

/** Rows of input_ids [B, T], cut into windows; labels [B, T] hold the true token where one is hidden, and NOT_SCORED elsewhere. */
async function maskedRows(file: TensorFile, model: LongConvModel, wanted?: number): Promise<Samples> {
  const { ids, batch, length: rowLength } = await readTokens(file, 'input_ids', model.vocabularySize);
  const labels = file.tensors.has(LABELS) ? await readLabels(file, LABELS, [batch, rowLength], model.vocabularySize) : undefined;
  const types = file.tensors.has(TOKEN_TYPES) ? (await readTokens(file, TOKEN_TYPES, Infinity)).ids : undefined;
  const length = wanted ?? Math.min(rowLength, model.maxLength);
  if (length > rowLength) {
    throw new UserError(`${file.path} has rows of ${rowLength} tokens, but windows of ${length} were asked for.`, `Use a length of at most ${rowLength}.`);
  }
  const hidden = labels ? { ids, labels } : hideTokens(ids, model);
  const samples: Sample[] = [];
  for (let row = 0; row < batch; row++) {
    for (let start = row * rowLength; start + length <= (row + 1) * rowLength; start += length) {
      const window = <T extends Int32Array>(values: T): Int32Array => values.subarray(start, start + length);
      samples.push({ input: window(hidden.ids), targets: window(hidden.labels), ...(types && { extra: new Map([[TOKEN_TYPES, window(types)]]) }) });
    }
  }
  const notes = labels ? [] : [`The data has no labels: ${100 * HIDDEN_SHARE}% of its tokens were hidden, the same ones in every run.`];
  return { records: batch, length, samples, notes };
}

function hideTokens(ids: Int32Array, model: LongConvModel): { ids: Int32Array; labels: Int32Array } {
  const { maskToken } = model;
  if (maskToken === undefined || maskToken >= model.vocabularySize) {
    throw new UserError(`The data has no labels, and ${model.name} has no known token that hides another.`,
      `Store labels beside input_ids: the true token where one is hidden, ${NOT_SCORED} elsewhere.`);
  }
  const random = mulberry32(11);
  const labels = Int32Array.from(ids, (id) => (random() < HIDDEN_SHARE ? id : NOT_SCORED));
  return { ids: ids.map((id, i) => (labels[i] === NOT_SCORED ? id : maskToken)), labels };
}

/** Rows of `input` (or input_ids), each with the class in labels [B]; without labels for models that have no metric. */
async function examples(file: TensorFile, model: LongConvModel, wanted?: number): Promise<Samples> {
  const inputs = await readInputs(file, model);
  const { batch, length } = inputs;
  if (wanted !== undefined && wanted !== length) {
    throw new UserError(`${file.path} has examples of ${length} samples, and they are not cut: a length of ${wanted} was asked for.`, 'Leave the length out.');
  }
  const labels = model.task === 'classification' ? await readLabels(file, LABELS, [batch], model.vocabularySize) : undefined;
  const samples = Array.from({ length: batch }, (_, row): Sample => ({
    input: inputs.row(row), targets: labels ? labels.subarray(row, row + 1) : new Int32Array(0),
  }));
  return { records: batch, length, samples, notes: [] };
}

/** The inputs of a model in a file: float `input` or token `input_ids`, with `row` for one of the batch. */
export async function readInputs(
  file: TensorFile, model: LongConvModel,
): Promise<{ batch: number; length: number; row: (row: number) => Float32Array | Int32Array }> {
  if (model.floatInput) {
    const { data, batch, length } = await readFloatInput(file, 'input', model.floatInput, model.name);
    const size = data.length / batch;
    return { batch, length, row: (row) => data.subarray(row * size, (row + 1) * size) };
  }
  const { ids, batch, length } = await readTokens(file, 'input_ids', model.vocabularySize || Infinity);
  return { batch, length, row: (row) => ids.subarray(row * length, (row + 1) * length) };
}
