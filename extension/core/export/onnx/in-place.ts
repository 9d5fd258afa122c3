import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { UserError } from '../../errors';
import { ValueKind } from '../../families/onnx/graph-view';
import type { LongConvModel } from '../../families/model';
import { CONFIG_KEY } from '../../families/embedded-surgery';
import { OnnxModel } from '../../families/onnx/model';
import type { OnnxSite } from '../../families/onnx/site';
import { configText } from '../../families/registry';
import type { OnnxFile } from '../../formats/onnx/read';
import type { TensorEntry } from '../../formats/safetensors/write';
import { copyPatched, type Patch, patchedSize, patches } from '../../formats/onnx/splice';
import { type FileSink, removeLeftover, writeAtomically } from '../../io/atomic-file';
import { begun } from '../../io/unfinished';
import { copyFileAtomically, sha256 } from '../../io/copy-file';
import type { SurgeryPlan } from '../../plan/plan';
import type { SiteFilter } from '../../plan/site-filter';
import { TOOL } from '../../version';
import { writeExactly } from '../exact-tensors';
import { cutValues } from './cut-values';
import type { Lowering } from './lowering';
import { lowerSite } from './lower-site';
import { ModelEdits, onlyFor } from './model-edits';

export interface InPlaceExport {
  /** A model of an ONNX file: its graph, or the filters in it that the user chose. */
  readonly model: LongConvModel & { readonly file: OnnxFile };
  readonly plan: SurgeryPlan;
  /** Of the sites that the plan changes. */
  readonly filters: ReadonlyMap<string, SiteFilter>;
  /** How changed sites are written; absent: in the operators that they have, where those can express the filter. */
  readonly lowering?: Lowering;
  readonly recausalise: boolean;
  readonly output: string;
  /** Name of the data file that a model with data files gets for its changed tensors. */
  readonly dataFile: string;
  readonly onProgress?: (fraction: number) => void;
}

export interface InPlaceResult {
  /** Tensors whose values changed. */
  readonly touched: ReadonlySet<string>;
  /** Files beside the model that were written, absolute; unfinished until the caller says that they are not. */
  readonly dataFiles: readonly string[];
  /** Hexadecimal SHA-256 of the source. */
  readonly sourceHash: string;
  /** The model's file is a copy of its source. */
  readonly copied: boolean;
  readonly notes: readonly string[];
}

/** A protocol-buffer message is smaller than 2 GiB. */
const LARGEST_MESSAGE = 2 ** 31 - 1;

/**
 * Writes an ONNX model with changed filters: the source's bytes with just the changed tensors, and the edges that lead to new ones,
 * spliced in. A plan that changes nothing gives an identical file. Data files beside the model stay in place and changed tensors go to
 * a new one beside them; into another folder they are copied.
 */
export async function exportInPlace(request: InPlaceExport): Promise<InPlaceResult> {
  const { model, filters, output } = request;
  const source = model.file.path;
  const sameFolder = path.dirname(path.resolve(output)) === path.dirname(source);
  const sideFile = sameFolder ? request.dataFile : undefined;
  const edits = new ModelEdits(model.file, sideFile);
  const notes: string[] = [];
  for (const [id, filter] of filters) {
    if (model instanceof OnnxModel) notes.push(await writeSite({ ...request, model }, edits, model.onnxSites.find((known) => known.id === id)!, filter));
    else notes.push(await writeTensors(request, edits, filter));
  }
  if (filters.size > 0) edits.addMetadata(await metadata(request));
  const list = patches(edits.edits);
  const size = patchedSize(model.file.bytes.size, list);
  if (size > LARGEST_MESSAGE && model.file.bytes.size <= LARGEST_MESSAGE) {
    throw new UserError(`The exported graph would have ${(size / 2 ** 30).toFixed(1)} GiB, but an ONNX file holds less than 2 GiB.`, 'Export the source with external data first.');
  }
  const dataFiles: string[] = [];
  let sourceHash: string;
  try {
    await writeData(model.file, edits, output, sideFile, dataFiles);
    sourceHash = await writePatched(source, output, list, (done, of) => request.onProgress?.(done / of));
  } catch (cause) {
    for (const file of dataFiles) await removeLeftover(file);
    throw cause;
  }
  const changed = filters.size === 0 ? ['The plan has no masks: the file is byte-identical to the source.'] : [];
  const beside = dataFiles.length > 0 ? [`Its data ${dataFiles.length === 1 ? 'is in' : 'are in'} ${dataFiles.map((file) => path.basename(file)).join(', ')} beside it.`] : [];
  return { touched: edits.touched, dataFiles, sourceHash, copied: list.length === 0, notes: [...changed, ...notes, ...beside] };
}

/** Writes one site's filter; says how. */
async function writeSite(request: InPlaceExport & { readonly model: OnnxModel }, edits: ModelEdits, site: OnnxSite, filter: SiteFilter): Promise<string> {
  const { model, lowering } = request;
  // A filter that the graph computes anew for each length has no values that hold for all of them.
  const fixed = site.cut.value === '' || model.view.kind(site.cut.value) === ValueKind.Constant;
  const values = lowering === undefined && fixed ? await cutValues(model, site, filter) : undefined;
  const rounding = values && values.roundingError > 0 ? `, rounded to the file's own type (relative error ${values.roundingError.toExponential(1)})` : '';
  const { cut, id } = site;
  if (values && cut.tensor && cut.exclusive) {
    edits.replaceTensor(cut.tensor, values.bytes);
    return `${id}: the values of ${model.file.nameOf(cut.tensor)} were replaced${rounding}.`;
  }
  if (values && cut.use && onlyFor(model.view, cut.use.node.outputs[0], new Set(site.nodes))) {
    const { node, input } = cut.use;
    const name = `${id}/longconv.surgeon/k`;
    const target = node.rewritten?.call ?? node;
    const inputs = node.rewritten ? target.inputs.flatMap((value, i) => (value === cut.value ? [i] : [])) : [input];
    // A function may read the same input in other places too.
    const others = node.rewritten && model.view.uses.get(cut.value)!.filter((use) => use.node.rewritten?.call === target).length > 1;
    if (inputs.length > 0 && !others) {
      edits.addInitializer(name, cut.dims, values.type, values.bytes);
      for (const index of inputs) edits.redirect(target, index, name);
      return `${id}: the filter is stored as the new tensor ${name}, in place of ${cut.value}${rounding}.`;
    }
  }
  return lowerSite(model, edits, site, filter, lowering);
}

/** Writes a filter that the user chose back into its own tensors, wherever in the file they are. */
async function writeTensors({ model, lowering }: InPlaceExport, edits: ModelEdits, filter: SiteFilter): Promise<string> {
  const { id } = filter.site;
  if (lowering !== undefined) {
    throw new UserError(`${id} is a tensor that was chosen by hand, and what reads it is not known, so it cannot be lowered.`, 'Leave --lowering out.');
  }
  const replaced = new Map<string, TensorEntry & { readonly data: Uint8Array }>();
  const { roundingError: rounding } = await writeExactly(model, filter, replaced);
  for (const { name, data } of replaced.values()) {
    if (edits.touched.has(name)) throw new UserError(`${name} holds the filters of two sites that the plan changes.`, 'Mask one of them.');
    edits.replaceTensor(model.file.storedTensor(name)!, data);
  }
  return `${id}: the values of ${[...replaced.keys()].join(' and ')} were replaced${rounding > 0 ? `, rounded to the file's own type (relative error ${rounding.toExponential(1)})` : ''}.`;
}

/** `sideFile`: where the changed tensors go; undefined: into copies of the data files. `written` gets the files as they are begun. */
async function writeData(file: OnnxFile, edits: ModelEdits, output: string, sideFile: string | undefined, written: string[]): Promise<void> {
  const folder = path.dirname(path.resolve(output));
  if (sideFile !== undefined) {
    if (edits.sideTensors.length === 0) return;
    const target = path.join(folder, sideFile);
    written.push(begun(target));
    await writeAtomically(target, async (sink) => {
      let at = 0;
      for (const { offset, bytes } of edits.sideTensors) {
        await writeZeros(sink, offset - at);
        await sink.write(bytes);
        at = offset + bytes.length;
      }
    });
    return;
  }
  const { external } = file;
  for (const location of external.locations) {
    const target = path.join(folder, ...location.split('/'));
    await refuseExisting(target);
    await fs.mkdir(path.dirname(target), { recursive: true });
    written.push(begun(target));
    await writePatched(external.absolute(location), target, edits.dataPatches.get(location) ?? []);
  }
}

/** Writes a file with changes; returns the SHA-256 of the source. */
async function writePatched(source: string, target: string, list: readonly Patch[], onBytes?: (done: number, of: number) => void): Promise<string> {
  if (list.length === 0) return copyFileAtomically(source, target, onBytes);
  const writing = writeAtomically(target, (sink) => copyPatched(source, list, sink, onBytes));
  // What is being copied is in memory for the hash.
  const hashing = sha256(source);
  await Promise.allSettled([writing, hashing]);
  await writing;
  return hashing;
}

async function writeZeros(sink: FileSink, count: number): Promise<void> {
  if (count > 0) await sink.write(new Uint8Array(count));
}

async function refuseExisting(target: string): Promise<void> {
  const exists = await fs.access(target).then(() => true, () => false);
  if (exists) throw new UserError(`${target} exists already, and the exported model needs a data file of that name.`, 'Choose an empty folder.');
}

async function metadata({ model, plan, lowering, recausalise }: InPlaceExport): Promise<Record<string, string>> {
  // Filters that are known by the user's choice alone are the same ones wherever the export lies.
  const config = model instanceof OnnxModel ? undefined : await configText(model.file);
  return {
    ...(config !== undefined && { [CONFIG_KEY]: config }),
    'longconv.surgeon.tool': TOOL,
    'longconv.surgeon.source': `${model.name} ${plan.model.fingerprint}`,
    'longconv.surgeon.plan': JSON.stringify(plan),
    'longconv.surgeon.lowering': lowering ?? 'in place',
    'longconv.surgeon.recausalised': String(recausalise),
  };
}
