import * as fs from 'node:fs/promises';
import type { LongConvModel } from '../../core/families/model';
import { defaultRunLength, gridRequest } from '../../core/families/site-shape';
import { defaultGrid } from '../../core/masks/grid';
import { describeMasks } from '../../core/masks/describe';
import type { ModelSummary, SiteSummary } from '../../core/protocol/kernel-host';

/** Everything about a model that the viewer and `inspect` show; reads headers, no weights. */
export async function summarise(model: LongConvModel): Promise<ModelSummary> {
  const { size } = await fs.stat(model.file.path);
  return {
    path: model.path, name: model.name, family: model.family, bytes: size, parameters: model.parameters,
    maxLength: model.maxLength, defaultLength: defaultRunLength(model),
    vocabularySize: model.vocabularySize, tokenizer: model.tokenizer !== undefined, task: model.task, floatInput: model.floatInput,
    options: model.options, notes: model.notes, metadata: Object.fromEntries(model.file.metadata),
    sites: model.sites.map((site) => siteSummary(model, site)),
    tensors: [...model.file.tensors.values()].map(({ name, dtype, shape, byteLength }) => ({ name, dtype, shape, bytes: byteLength })),
  };
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
