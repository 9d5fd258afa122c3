import * as fs from 'node:fs/promises';
import type { LongConvModel } from '../../core/families/model';
import type { TensorFile } from '../../core/formats/tensor-file';
import { defaultRunLength, gridRequest } from '../../core/families/site-shape';
import { defaultGrid } from '../../core/masks/grid';
import { describeMasks } from '../../core/masks/describe';
import type { ModelSummary, SiteSummary } from '../../core/protocol/kernel-host';

/** Everything about a model that the viewer and `inspect` show; reads headers, no weights. */
export async function summarise(model: LongConvModel): Promise<ModelSummary> {
  return {
    path: model.path, name: model.name, family: model.family, bytes: await sizeOnDisk(model.file), parameters: model.parameters,
    maxLength: model.maxLength, defaultLength: defaultRunLength(model),
    vocabularySize: model.vocabularySize, tokenizer: model.tokenizer !== undefined, task: model.task, floatInput: model.floatInput,
    options: model.options, notes: [...model.notes, ...(model.file.notes ?? [])], metadata: Object.fromEntries(model.file.metadata),
    sites: model.sites.map((site) => siteSummary(model, site)),
    tensors: [...model.file.tensors.values()].map(({ name, dtype, shape, byteLength }) => ({ name, dtype, shape, bytes: byteLength })),
  };
}

/** Of all files that the model consists of, in bytes. */
async function sizeOnDisk(file: TensorFile): Promise<number> {
  const stats = await Promise.all((file.files ?? [file.path]).map((part) => fs.stat(part)));
  return stats.reduce((sum, { size }) => sum + size, 0);
}

function siteSummary(model: LongConvModel, site: LongConvModel['sites'][number]): SiteSummary {
  const { id, layer, channels, taps, direction, storage, writeBack } = site;
  const embedded = site.embedded?.channelMasks ?? model.embeddedPlan?.sites.find((planned) => planned.site === id)?.masks;
  return {
    id, layer, channels, taps, direction, storage, writeBack,
    defaultGrid: defaultGrid(gridRequest(model, site)),
    surgery: embedded && describeMasks(embedded),
  };
}
