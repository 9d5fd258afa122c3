import * as path from 'node:path';
import { UserError } from '../../errors';
import type { TensorFile } from '../../formats/tensor-file';
import { readEmbeddedSurgery } from '../embedded-surgery';
import type { Family, LongConvModel, OptionOverrides } from '../model';
import type { ConvolutionBlock } from '../shared/convolution-block';
import { buildConvolutionClassifier, frameSizes } from '../shared/convolution-classifier';
import { familyModel } from '../shared/family-model';
import { Shapes } from '../shared/shapes';
import { makeSites, surgeryNotes, type SiteDraft } from '../shared/sites';
import { incompleteness } from '../shared/tensor-names';
import { readSettings, type LongConvSettings } from './config';
import { buildLayerGraph } from './graph';
import { kernelSource, siteChannels, storedValues, type StoredKernel } from './kernel';
import { findLongConvLayout, type LongConvLayer, type LongConvLayout } from './layout';

/**
 * Simple long convolutions: layers whose filters are stored tap by tap, and the classifier made of them.
 * Source: HazyResearch/safari, long_conv.py, long_conv_kernel.py, standalone_long_convs.py.
 */
export const LONGCONV: Family = {
  name: 'longconv',
  lookedFor: 'LongConv: kernel.kernel, or conv_layers.0.kernel',
  recognise(file) {
    const layout = findLongConvLayout(file.tensors);
    return layout && (incompleteness(layout) ?? true);
  },
  open,
};

async function open(file: TensorFile, config: unknown, given: OptionOverrides): Promise<LongConvModel> {
  const layout = findLongConvLayout(file.tensors);
  const incomplete = layout && incompleteness(layout);
  if (!layout || incomplete) {
    throw new UserError(`${file.path} is not a whole LongConv model: ${incomplete ?? 'it has no long convolutions'}.`);
  }
  const surgery = readEmbeddedSurgery(file);
  const { frame } = layout;
  const settings = readSettings(config, path.join(path.dirname(file.path), 'config.json'), given, surgery?.plan.model.options, frame !== undefined);
  const shapes = new Shapes(file);
  const kernels = layout.layers.map((layer) => storedKernel(shapes, layer, settings, frame !== undefined));
  const { sites, filters } = makeSites(file, surgery, layout.layers.map((layer, i): SiteDraft => siteDraft(file, layer, i, kernels[i], frame !== undefined, settings, shapes)));
  const network = networkOf(shapes, layout, settings, sites.map(({ taps }) => taps));
  const { transposed } = settings;
  const lamKey = frame ? 'kernel_lam' : 'lam';
  const maxLength = Math.min(...sites.map(({ taps }) => taps));
  return familyModel({
    family: 'longconv', file, sites, filters,
    vocabularySize: frame ? network.classes : 0,
    task: frame ? 'classification' : 'features',
    floatInput: frame ? ['length', network.inputs] : transposed ? [network.width, 'length'] : ['length', network.width],
    maxLength,
    // The classifier takes the mean over time, and sees all of it on its ring.
    localHistory: frame || settings.bidirectional ? undefined : 0,
    parameters: layout.parameters,
    options: settings.options,
    notes: [
      ...settings.options.map(({ name, value, source }) => `The threshold ${name} of the filters is ${value} (${source}); the results depend on it.`),
      frame
        ? 'The convolution is on a ring of twice the input, as in the original code, so every tap beyond the input acts on the future, and a shorter input has another filter.'
        : `The filters are made for inputs of ${maxLength} samples; on shorter ones the taps beyond the input act on later samples, as in the original code.`,
      ...surgeryNotes(surgery),
    ],
    embeddedPlan: surgery?.plan,
    recausalised: surgery?.recausalised,
    async exactTensors(siteId, rows) {
      const kernel = kernels[layout.layers.findIndex(({ site }) => site === siteId)];
      if (!kernel) throw new Error(`site ${siteId} has no stored kernel`);
      return storedValues(kernel, settings.shaping, rows, lamKey);
    },
    graph: () => (frame
      ? buildConvolutionClassifier('longconv', { ...network, frame, prenorm: settings.prenorm }, file)
      : buildLayerGraph(network.blocks[0], transposed, file)),
  });
}

function storedKernel(shapes: Shapes, { kernel }: LongConvLayer, { bidirectional }: LongConvSettings, ring: boolean): StoredKernel | undefined {
  if (kernel === undefined) {
    return undefined;
  }
  const shape = shapes.of(kernel);
  const [copies, width, taps] = shape;
  if (shape.length !== 3 || shape.includes(0) || (bidirectional && copies % 2 !== 0) || (ring && taps % 2 !== 0)) {
    const rule = bidirectional ? '[an even number of channels, d_model, taps]' : ring ? '[channels, d_model, an even number of taps]' : '[channels, d_model, taps]';
    throw new UserError(`${shapes.path} has ${kernel} of shape [${shape.join(', ')}] where ${rule} is needed.`);
  }
  return { tensor: kernel, copies, width, taps, layout: ring ? 'ring' : bidirectional ? 'halves' : 'causal' };
}

function siteDraft(
  file: TensorFile, { site, skip }: LongConvLayer, layer: number, kernel: StoredKernel | undefined, frame: boolean, { shaping, bidirectional, fields }: LongConvSettings, shapes: Shapes,
): SiteDraft {
  const [filters, width] = shapes.matrix(skip, 'channels, d_model');
  const common = { id: site, layer, channels: filters * width, storage: 'explicit', ringOfRun: frame ? 'cut' : 'wrapped' } as const;
  if (!kernel) {
    const taps = fields.count(frame ? 'L' : 'l_max') ?? 0;
    return { ...common, taps, direction: frame || bidirectional ? 'bidirectional' : 'causal', writeBack: ['baked'], filterTensors: [] };
  }
  if (siteChannels(kernel) !== filters * width) {
    throw new UserError(`${shapes.path} has ${kernel.tensor} for ${siteChannels(kernel)} filters, but ${skip} has ${filters * width}.`,
      'Check "bidirectional" in config.json, which says how the kernel is read.');
  }
  const { taps } = kernel;
  return {
    ...common, taps: kernel.layout === 'ring' ? taps / 2 : taps, direction: kernel.layout === 'causal' ? 'causal' : 'bidirectional',
    writeBack: ['exact', 'baked', 'sidecar'], filterTensors: [kernel.tensor], source: kernelSource(file, kernel, shaping),
  };
}

interface LongConvSizes { readonly blocks: readonly ConvolutionBlock[]; readonly width: number; readonly inputs: number; readonly classes: number }

function networkOf(shapes: Shapes, layout: LongConvLayout, settings: LongConvSettings, taps: readonly number[]): LongConvSizes {
  const { frame, layers } = layout;
  const [, width] = shapes.matrix(layers[0].skip, 'channels, d_model');
  const blocks = layers.map(({ site, skip, output }, i): ConvolutionBlock => {
    const [filters] = shapes.matrix(skip, 'channels, d_model');
    const rows = settings.gated ? 2 * width : width;
    shapes.expect(skip, [filters, width]);
    shapes.pair(output, [rows, filters * width], rows);
    return {
      site, mode: frame || settings.bidirectional ? 'bidirectional' : 'causal', width, filters, skip,
      activation: settings.activation, output: { ...output, gated: settings.gated }, maxLength: taps[i],
    };
  });
  const { inputs, classes } = frame ? frameSizes(shapes, frame, width) : { inputs: width, classes: 0 };
  settings.fields.expectStored([
    ['d_model', settings.fields.count('d_model'), width],
    ['n_layers', settings.fields.count('n_layers'), frame && layers.length],
    ['d_output', settings.fields.count('d_output'), frame && classes],
  ]);
  return { blocks, width, inputs, classes };
}
