import { UserError } from '../../errors';
import type { TensorFile } from '../../formats/tensor-file';
import { readEmbeddedSurgery } from '../embedded-surgery';
import type { Family, LongConvModel, OptionOverrides } from '../model';
import { familyModel } from '../shared/family-model';
import { Shapes } from '../shared/shapes';
import { makeSites, surgeryNotes, type SiteDraft } from '../shared/sites';
import { incompleteness } from '../shared/tensor-names';
import { sineSource } from './filter';
import { buildCkGraph, type CkNetwork } from './graph';
import { findCkLayout, networkTensors, type CkConvolution, type CkLayout } from './layout';
import { readSettings, type CkSettings } from './settings';

/** Classifiers of full convolutions with continuous kernels. Source: dwromero/ckconv, seqImg_CKCNN. */
export const CKCONV: Family = {
  name: 'ckconv',
  lookedFor: 'CKCNN: backbone.0.cconv1.Kernel.kernel_net.*',
  recognise(file) {
    const layout = findCkLayout(file.tensors);
    return layout && (incompleteness(layout) ?? true);
  },
  open,
};

async function open(file: TensorFile, config: unknown, given: OptionOverrides): Promise<LongConvModel> {
  const layout = findCkLayout(file.tensors);
  const incomplete = layout && incompleteness(layout);
  if (!layout || incomplete) {
    throw new UserError(`${file.path} is not a whole CKCNN: ${incomplete ?? 'it has no continuous kernels'}.`);
  }
  const surgery = readEmbeddedSurgery(file);
  const settings = await readSettings(file, layout, config, given, surgery?.plan.model.options);
  const network = readNetwork(new Shapes(file), layout, settings);
  const { inputs, hidden, classes, trainLength } = network;
  const drafts = layout.blocks.flatMap(({ convolutions }, block) => convolutions.map((convolution, n) =>
    siteDraft(file, convolution, block, hidden * (block === 0 && n === 0 ? inputs : hidden), settings)));
  const { sites, filters } = makeSites(file, surgery, drafts);
  return familyModel({
    family: 'ckconv', file, sites, filters,
    vocabularySize: classes, task: 'classification', floatInput: [inputs, 'length'],
    maxLength: trainLength, fixedLength: true,
    parameters: layout.parameters, options: settings.options,
    notes: [
      ...settings.options.map(({ name, value, source }) => `${name} is ${value} (${source}); the kernels depend on it.`),
      `Its convolutions are full, not depthwise: a site has a row for each pair of an output and an input channel, row o * inputs + i, and they are computed pair by pair.`,
      'Column l of a filter is lag l; the original code keeps the same value at index L - 1 - l.',
      ...surgeryNotes(surgery),
    ],
    embeddedPlan: surgery?.plan,
    recausalised: surgery?.recausalised,
    graph: () => buildCkGraph(network, file),
  });
}

/** Checks every tensor's shape against the others. */
function readNetwork(shapes: Shapes, layout: CkLayout, settings: CkSettings): CkNetwork {
  const [classes, hidden] = shapes.matrix(layout.head.weight, 'classes, hidden channels');
  shapes.pair(layout.head, [classes, hidden], classes);
  const { fields, trainLength } = settings;
  const inputs = inputChannels(shapes, layout, hidden, fields.count('in_channels'));
  layout.blocks.forEach(({ convolutions, norms, shortcut }, block) => {
    convolutions.forEach(({ bias, network }, n) => {
      shapes.expect(bias, [hidden]);
      if (network) checkNetwork(shapes, network, hidden * (block === 0 && n === 0 ? inputs : hidden));
    });
    norms.forEach((norm) => shapes.pair(norm, [hidden], hidden));
    const channels = block === 0 ? inputs : hidden;
    if (shortcut) shapes.pair(shortcut, [hidden, channels, 1], hidden);
    else if (channels !== hidden) throw new UserError(`${shapes.path} lacks the shortcut of block ${block}, which goes from ${channels} channels to ${hidden}.`);
  });
  fields.expectStored([
    ['no_hidden', fields.count('no_hidden'), hidden], ['no_blocks', fields.count('no_blocks'), layout.blocks.length],
    ['out_channels', fields.count('out_channels'), classes], ['in_channels', fields.count('in_channels'), inputs],
  ]);
  return { layout, inputs, hidden, classes, trainLength };
}

/** From the first kernel network, or from the shortcut, which is there unless the channels stay. */
function inputChannels(shapes: Shapes, { blocks: [first] }: CkLayout, hidden: number, configured: number | undefined): number {
  const network = first.convolutions[0].network;
  if (network) {
    const [rows] = shapes.of(network[2].bias);
    if (rows % hidden !== 0) throw new UserError(`${shapes.path} has ${network[2].bias} for ${rows} kernels, which is no multiple of its ${hidden} channels.`);
    return rows / hidden;
  }
  return first.shortcut ? shapes.of(first.shortcut.weight)[1] : configured ?? hidden;
}

function checkNetwork(shapes: Shapes, network: NonNullable<CkConvolution['network']>, kernels: number): void {
  const units = shapes.of(network[0].bias)[0];
  const rows = [units, units, kernels];
  const columns = [1, units, units];
  network.forEach(({ g, v, bias }, i) => {
    shapes.expect(g, [rows[i], 1, 1]);
    shapes.expect(v, [rows[i], columns[i], 1]);
    shapes.expect(bias, [rows[i]]);
  });
}

function siteDraft(file: TensorFile, { site, network }: CkConvolution, layer: number, channels: number, { trainLength, omega0 }: CkSettings): SiteDraft {
  return {
    id: site, layer, channels, taps: trainLength, storage: 'implicit', writeBack: ['baked', 'sidecar'],
    filterTensors: network ? networkTensors(network) : [], source: network && sineSource(file, network, trainLength, omega0),
  };
}
