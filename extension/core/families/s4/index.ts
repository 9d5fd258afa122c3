import * as path from 'node:path';
import { UserError } from '../../errors';
import type { TensorFile } from '../../formats/tensor-file';
import { readEmbeddedSurgery, type EmbeddedSurgery } from '../embedded-surgery';
import type { Family, LongConvModel, OptionOverrides, Site } from '../model';
import { siteLength } from '../site-shape';
import type { ConvolutionBlock } from '../shared/convolution-block';
import { buildConvolutionClassifier, frameSizes } from '../shared/convolution-classifier';
import { familyModel } from '../shared/family-model';
import { Shapes } from '../shared/shapes';
import { makeSites, surgeryNotes } from '../shared/sites';
import { incompleteness } from '../shared/tensor-names';
import { readSettings, type S4Settings } from './config';
import { buildLayerGraph, buildSashimiGraph, buildStackGraph } from './graph';
import { findS4Layout, type S4Layer, type S4Layout, type StackLayout } from './layout';
import { layerSite, layerSizes, readInteger, type LayerSizes } from './sites';
import { matrixOf, sashimiPlan } from './tiers';

/**
 * State-space layers: the minimal S4D, S4 blocks (diagonal, or diagonal plus low rank), classifiers of signals made of them, and SaShiMi.
 * Source: state-spaces/s4, models/s4/s4d.py, models/s4/s4.py, example.py and models/sashimi/sashimi.py.
 */
export const S4: Family = {
  name: 's4',
  lookedFor: 'S4: kernel.log_dt, layer.kernel.inv_dt, s4_layers.0, c_layers.0 or model.layers.0.layer.layer.kernel',
  recognise(file) {
    const layout = findS4Layout(file.tensors);
    return layout && (incompleteness(layout) ?? true);
  },
  open,
};

async function open(file: TensorFile, config: unknown, given: OptionOverrides): Promise<LongConvModel> {
  const layout = findS4Layout(file.tensors);
  const incomplete = layout && incompleteness(layout);
  if (!layout || incomplete) {
    throw new UserError(`${file.path} is not a whole S4 model: ${incomplete ?? 'it has no state spaces'}.`);
  }
  const surgery = readEmbeddedSurgery(file);
  const tuned = await tunedLengths(file, layout);
  const longest = layout.sashimi ? sashimiPlan(layout.sashimi).longestTuned(tuned) : tuned.size > 0 ? Math.min(...tuned.values()) : undefined;
  const settings = readSettings(config, path.join(path.dirname(file.path), 'config.json'), given, surgery?.plan.model.options, longest || undefined);
  if (layout.layer) return layerModel(file, layout, layout.layer, settings, tuned, surgery);
  if (layout.stack) return stackModel(file, layout, settings, tuned, surgery);
  return layout.sashimi ? sashimiModel(file, layout, settings, tuned, surgery) : classifierModel(file, layout, settings, tuned, surgery);
}

/** By site: the length that its stored C is tuned to; 0 where it is not, and nothing for filters that know no such length. */
async function tunedLengths(file: TensorFile, layout: S4Layout): Promise<Map<string, number>> {
  const lengths = new Map<string, number>();
  const layers = layout.layer ? [layout.layer] : layout.classifier?.layers ?? (layout.stack ? stackLayers(layout.stack) : sashimiPlan(layout.sashimi!).layers.map(({ layer }) => layer));
  for (const { site, kernel } of layers) {
    if (kernel?.kind === 'dplr' && kernel.length === undefined) {
      throw new UserError(`${file.path} lacks l_kernel of ${site}, the length that its stored C is tuned to.`, 'Save the model with its buffers.');
    }
    if (kernel?.kind === 'dplr') lengths.set(site, await readInteger(file, kernel.length!));
  }
  return lengths;
}

function layerModel(
  file: TensorFile, layout: S4Layout, layer: S4Layer, settings: S4Settings, tuned: ReadonlyMap<string, number>, surgery: EmbeddedSurgery | undefined,
): LongConvModel {
  const sizes = layerSizes(new Shapes(file), layer, settings);
  settings.layer.expectStored([['d_model', settings.layer.count('d_model'), sizes.width]]);
  const { sites, filters } = makeSites(file, surgery, [layerSite(file, layer, 0, sizes, settings, settings.length!, tuned.get(layer.site) ?? 0)]);
  const [site] = sites;
  const block = convolutionBlock(layer, sizes, settings, site);
  return familyModel({
    ...commonParts(file, layout, settings, surgery, sites), filters,
    vocabularySize: 0, task: 'features', floatInput: settings.transposed ? [sizes.width, 'length'] : ['length', sizes.width],
    maxLength: site.taps, localHistory: settings.bidirectional ? undefined : 0,
    graph: () => buildLayerGraph(block, settings.transposed, file),
  });
}

function classifierModel(
  file: TensorFile, layout: S4Layout, settings: S4Settings, tuned: ReadonlyMap<string, number>, surgery: EmbeddedSurgery | undefined,
): LongConvModel {
  const { layers, frame } = layout.classifier!;
  const shapes = new Shapes(file);
  const sizes = layers.map((layer) => layerSizes(shapes, layer, settings));
  const [{ width }] = sizes;
  layers.forEach(({ skip }, i) => {
    if (sizes[i].width !== width) throw new UserError(`${file.path} has ${sizes[i].width} channels in ${skip}, but ${width} in its first layer.`);
  });
  const { inputs, classes } = frameSizes(shapes, frame, width);
  settings.top.expectStored([
    ['d_model', settings.top.count('d_model'), width], ['n_layers', settings.top.count('n_layers'), layers.length],
    ['d_input', settings.top.count('d_input'), inputs], ['d_output', settings.top.count('d_output'), classes],
  ]);
  const { sites, filters } = makeSites(file, surgery, layers.map((layer, i) => layerSite(file, layer, i, sizes[i], settings, settings.length!, tuned.get(layer.site) ?? 0)));
  const blocks = layers.map((layer, i) => convolutionBlock(layer, sizes[i], settings, sites[i]));
  return familyModel({
    ...commonParts(file, layout, settings, surgery, sites), filters,
    vocabularySize: classes, task: 'classification', floatInput: ['length', inputs], maxLength: Math.min(...sites.map(({ taps }) => taps)),
    graph: () => buildConvolutionClassifier('s4', { frame, blocks, width, inputs, classes, prenorm: settings.top.flag('prenorm') ?? false }, file),
  });
}

const stackLayers = ({ blocks }: StackLayout): S4Layer[] => blocks.flatMap((block) => (block.kind === 's4' ? [block.layer] : []));

function stackModel(
  file: TensorFile, layout: S4Layout, settings: S4Settings, tuned: ReadonlyMap<string, number>, surgery: EmbeddedSurgery | undefined,
): LongConvModel {
  const stack = layout.stack!;
  const { top } = settings;
  const shapes = new Shapes(file);
  const [width, inputs] = shapes.matrix(stack.encoder.weight, 'd_model, inputs');
  const [classes] = shapes.matrix(stack.decoder.weight, 'classes, d_model');
  shapes.pair(stack.encoder, [width, inputs], width);
  shapes.pair(stack.decoder, [classes, width], classes);
  top.expectFixed('S4', { prenorm: stack.norm !== undefined, residual: 'R', n_repeat: 1 });
  // A pooling without weights, which no tensor shows.
  const pool = top.object('pool');
  pool.expectFixed('the pooling between S4 layers', { pool: 1, stride: 1, expand: 1 });
  settings.root.object('decoder').expectFixed('the decoder of S4 classifiers', { mode: 'pool' });
  const notes = settings.root.object('decoder').has('mode') ? [] : ['Nothing says how the decoder takes time together: it is given the mean over time, as classifiers have it.'];
  const linears = new Map<string, { inputs: number; outputs: number; pool: number }>();
  for (const block of stack.blocks) {
    if (block.kind === 'down' || block.kind === 'up') throw new UserError(`${file.path} has a pooling ${block.scope}, and classifiers of S4 layers are supported without.`);
    if (block.kind !== 'ff') continue;
    const [outputs, from] = matrixOf(shapes, block.input);
    if (from !== width || matrixOf(shapes, block.output).join() !== [width, outputs].join()) throw new UserError(`${file.path} has linear layers in ${block.scope} that do not go from ${width} channels and back.`);
    linears.set(block.scope, { inputs: from, outputs, pool: 1 });
  }
  const layers = stackLayers(stack);
  const sizes = layers.map((layer) => layerSizes(shapes, layer, settings));
  const misfit = sizes.findIndex((size) => size.width !== width);
  if (misfit >= 0) throw new UserError(`${file.path} has ${sizes[misfit].width} channels in ${layers[misfit].skip}, but ${width} behind its encoder.`);
  const { sites, filters } = makeSites(file, surgery, layers.map((layer, i) => layerSite(file, layer, i, sizes[i], settings, settings.length!, tuned.get(layer.site) ?? 0)));
  const blocks = new Map(layers.map((layer, i) => [layer.site, convolutionBlock(layer, sizes[i], settings, sites[i])]));
  const common = commonParts(file, layout, settings, surgery, sites);
  return familyModel({
    ...common, notes: [...common.notes, ...notes], filters,
    vocabularySize: classes, task: 'classification', floatInput: ['length', inputs], maxLength: Math.min(...sites.map(({ taps }) => taps)),
    graph: () => buildStackGraph({ layout: stack, width, inputs, classes, blocks, linears }, file),
  });
}

function sashimiModel(
  file: TensorFile, layout: S4Layout, settings: S4Settings, tuned: ReadonlyMap<string, number>, surgery: EmbeddedSurgery | undefined,
): LongConvModel {
  const sashimi = layout.sashimi!;
  const shapes = new Shapes(file);
  const [width] = shapes.of(sashimi.norm.weight);
  shapes.pair(sashimi.norm, [width], width);
  const [vocabularySize] = sashimi.frame ? shapes.matrix(sashimi.frame.encoder, 'vocabulary, d_model') : [0];
  if (sashimi.frame) {
    shapes.expect(sashimi.frame.encoder, [vocabularySize, width]);
    shapes.pair(sashimi.frame.decoder, [vocabularySize, width], vocabularySize);
  }
  // The training code's other poolings, activations behind poolings, and networks that fill in missing samples.
  settings.top.expectFixed('SaShiMi', { pool_mode: 'linear', act_pool: null, interp: 0, prenorm: true, residual: 'R', norm: 'layer' });
  if ((settings.top.flag('unet') ?? sashimi.unet) !== sashimi.unet) {
    throw new UserError(`${settings.top.where} and the model disagree: unet is ${!sashimi.unet} in the file, but the tensors have ${sashimi.unet ? '' : 'no '}blocks on the way down.`,
      'Check that config.json belongs to this model, or move it away to open the model without it.');
  }
  const plan = sashimiPlan(sashimi);
  const linears = plan.checkedLinears(shapes, width);
  const pooled = plan.rates(linears);
  const sizes = plan.layers.map(({ layer }) => layerSizes(shapes, layer, settings));
  const { sites, filters } = makeSites(file, surgery, plan.layers.map(({ layer, tier }, i) =>
    layerSite(file, layer, i, sizes[i], settings, siteLength({ rate: pooled[tier] }, settings.length!), tuned.get(layer.site) ?? 0, pooled[tier])));
  const blocks = new Map(plan.layers.map(({ layer }, i) => [layer.site, convolutionBlock(layer, sizes[i], settings, sites[i])]));
  const maxLength = Math.min(settings.length!, ...sites.map(({ taps, rate = 1 }) => Math.floor(taps / rate)));
  return familyModel({
    ...commonParts(file, layout, settings, surgery, sites), filters,
    vocabularySize, ...(sashimi.frame ? {} : { task: 'features', floatInput: ['length', width] }),
    maxLength, localHistory: settings.bidirectional ? undefined : poolingHistory(pooled), lengthMultiple: Math.round(1 / Math.min(...pooled)),
    graph: () => buildSashimiGraph({ layout: sashimi, width, vocabularySize, blocks, linears }, file),
  });
}

/**
 * How far the poolings of a SaShiMi look back, in samples of its input: on the way up a tier takes the sample before its own of the tier below, each
 * of which stands for 1 / rate of them.
 */
const poolingHistory = (rates: readonly number[]): number => rates.slice(1).reduce((sum, rate) => sum + 2 * Math.round(1 / rate) - 1, 0);

function convolutionBlock({ skip, output }: S4Layer, { width, filters }: LayerSizes, settings: S4Settings, { id, taps, direction }: Site): ConvolutionBlock {
  return { site: id, mode: direction, width, filters, skip, activation: settings.activation, output: { ...output, gated: settings.gated }, maxLength: taps };
}

function commonParts(file: TensorFile, layout: S4Layout, settings: S4Settings, surgery: EmbeddedSurgery | undefined, sites: readonly Site[]) {
  return {
    family: 's4', file, sites, parameters: layout.parameters, options: settings.options, growsWith: 'l_max',
    notes: [
      ...settings.options.map(({ name, value, source }) => `The filters are made for inputs of up to ${value} samples (${name}: ${source}); they exist at any length.`),
      ...surgeryNotes(surgery),
    ],
    embeddedPlan: surgery?.plan,
    recausalised: surgery?.recausalised,
  };
}
