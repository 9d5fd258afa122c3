import * as path from 'node:path';
import { elementCount } from '../../formats/dtype';
import { UserError } from '../../errors';
import { OnnxFile } from '../../formats/onnx/read';
import type { TensorFile } from '../../formats/tensor-file';
import { readEmbeddedSurgery } from '../embedded-surgery';
import type { LongConvModel, OptionOverrides } from '../model';
import { filterColumns } from '../site-shape';
import { familyModel } from '../shared/family-model';
import { refuseOtherOptions } from '../shared/options';
import { makeSites, surgeryNotes, type SiteDraft } from '../shared/sites';
import { bakedFilterName } from '../shared/tensor-names';
import { chosenShape, readChoice, SITES_KEY } from './choice';
import { storedSource, storedTensors } from './filter';

/**
 * A model of no known family, opened by the explicit filters that its config.json names. What surrounds the filters is unknown, so there is no
 * graph: filters can be looked at, masked, measured site by site and written back, but the model cannot be run.
 */
export async function openChosen(file: TensorFile, config: unknown, given: OptionOverrides): Promise<LongConvModel> {
  refuseOtherOptions('generic', given, []);
  const choice = readChoice(config, path.join(path.dirname(file.path), 'config.json'));
  // An exported ONNX graph computes with the changed filters itself; its metadata only tell of them.
  const surgery = file instanceof OnnxFile ? undefined : readEmbeddedSurgery(file);
  const drafts = choice.map((chosen, layer): SiteDraft => {
    const { id, tensor, backward, direction } = chosen;
    const shape = chosenShape(file, chosen);
    const common = { id, layer, direction, storage: 'explicit' as const };
    if (!shape) {
      return { ...common, channels: file.tensors.get(bakedFilterName(id))!.shape[0] ?? 0, taps: 0, writeBack: ['baked'], filterTensors: [] };
    }
    return {
      ...common, ...shape, writeBack: file instanceof OnnxFile ? ['exact'] : ['exact', 'baked', 'sidecar'], filterTensors: backward === undefined ? [tensor] : [tensor, backward],
      source: storedSource(file, chosen, shape.taps, filterColumns({ direction, taps: shape.taps })),
    };
  });
  const { sites, filters } = makeSites(file, surgery, drafts);
  return familyModel({
    family: 'generic', file, sites, filters,
    vocabularySize: 0, task: 'features', floatInput: ['length'], sitesOnly: 'is known by its filters alone, not by the model around them',
    maxLength: Math.max(...sites.map(({ taps }) => taps)),
    parameters: [...file.tensors.values()].reduce((sum, { shape }) => sum + elementCount(shape), 0),
    options: [],
    notes: [
      `A model of no known family: its filters are those that "${SITES_KEY}" in config.json names, and it cannot be run, so there are measures of each site but none of the model.`,
      ...surgeryNotes(surgery),
    ],
    embeddedPlan: surgery?.plan,
    recausalised: surgery?.recausalised,
    async exactTensors(siteId, rows) {
      const chosen = choice.find(({ id }) => id === siteId)!;
      const site = sites.find(({ id }) => id === siteId)!;
      return storedTensors(file, chosen, site.taps, filterColumns(site), rows);
    },
    graph: async () => {
      throw new UserError(`${path.basename(file.path)} cannot be run: only its filters are known, not the model around them.`, 'Its sites can be masked, measured and written back one by one.');
    },
  });
}
