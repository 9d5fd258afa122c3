import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { type TensorEntry, writeSafetensors } from '../../../extension/core/formats/safetensors/write';
import { mulberry32 } from '../../../extension/core/validation/statistics';

/** Networks that read an image as a sequence of its pixels, the line of models of Path-X and Path-512. */
export const IMAGE_MODELS = ['sashimi', 's4d', 's4', 'ckconv'] as const;
export type ImageModel = (typeof IMAGE_MODELS)[number];
export interface ImageSizes { readonly pixels: number; readonly width: number; readonly layers: number; readonly states: number }

const CLASSES = 2;
const GREYS = 256;
/** Samples that each of SaShiMi's two poolings takes. */
const POOL = 4;

/**
 * Writes a model of `kind` with random weights, its config.json, and one image for it, into a folder. SaShiMi predicts the next pixel; the others
 * are classifiers of two classes.
 */
export async function writeImageModel(kind: ImageModel, folder: string, sizes: ImageSizes): Promise<{ model: string; data: string }> {
  const weights = new RandomTensors();
  const config = WRITERS[kind](weights, sizes);
  await fs.mkdir(folder, { recursive: true });
  const [model, data] = [path.join(folder, 'model.safetensors'), path.join(folder, 'image.safetensors')];
  await writeSafetensors(model, weights.entries);
  await fs.writeFile(path.join(folder, 'config.json'), JSON.stringify(config));
  const image = new RandomTensors();
  if (kind === 'sashimi') {
    // One pixel more: the last one is only a target.
    image.add('input_ids', [1, sizes.pixels + 1], (random) => Math.floor(GREYS * random()), 'I32');
  } else {
    image.add('input', kind === 'ckconv' ? [1, 1, sizes.pixels] : [1, sizes.pixels, 1], (random) => 2 * random() - 1);
    image.add('labels', [1], () => 1, 'I32');
  }
  await writeSafetensors(data, image.entries);
  return { model, data };
}

const WRITERS: Readonly<Record<ImageModel, (weights: RandomTensors, sizes: ImageSizes) => object>> = {
  sashimi(weights, { pixels, width, layers, states }) {
    weights.matrix('encoder', [GREYS, width], false);
    const blocks = (scope: string, channels: number, first: number): void => {
      for (let i = 0; i < layers; i++) {
        const [convolution, mixing] = [`${scope}.${first + 2 * i}`, `${scope}.${first + 2 * i + 1}`];
        weights.norm(`${convolution}.norm`, channels);
        s4Layer(weights, `${convolution}.layer.`, channels, states);
        weights.norm(`${mixing}.norm`, channels);
        weights.matrix(`${mixing}.layer.ff.0.0`, [2 * channels, channels, 1]);
        weights.matrix(`${mixing}.layer.ff.2`, [channels, 2 * channels, 1]);
      }
    };
    for (const [tier, channels] of [width, 2 * width].entries()) weights.matrix(`model.d_layers.${tier}.linear`, [2 * channels, POOL * channels, 1]);
    blocks('model.c_layers', 4 * width, 0);
    for (const [tier, channels] of [2 * width, width].entries()) {
      weights.matrix(`model.u_layers.${tier}.0.linear`, [POOL * channels, 2 * channels, 1]);
      blocks(`model.u_layers.${tier}`, channels, 1);
    }
    weights.norm('model.norm', width);
    weights.matrix('decoder', [GREYS, width]);
    return { model: { layer: { l_max: pixels } } };
  },
  s4d: (weights, sizes) => classifier(weights, sizes, (scope) => {
    const { width, states } = sizes;
    weights.add(`${scope}D`, [width], (random) => random());
    weights.add(`${scope}kernel.C`, [width, states, 2], (random) => random() - 0.5);
    weights.add(`${scope}kernel.log_dt`, [width], logStep);
    weights.add(`${scope}kernel.log_A_real`, [width, states], () => Math.log(0.5));
    weights.add(`${scope}kernel.A_imag`, [width, states], (_, i) => Math.PI * (i % states));
    weights.matrix(`${scope}output_linear.0`, [2 * width, width, 1]);
  }),
  s4: (weights, sizes) => classifier(weights, sizes, (scope) => s4Layer(weights, scope, sizes.width, sizes.states)),
  ckconv(weights, { pixels, width, layers }) {
    const units = 32;
    for (let block = 0; block < layers; block++) {
      for (const n of [1, 2]) {
        const convolution = `backbone.${block}.cconv${n}`;
        const rows = width * (block === 0 && n === 1 ? 1 : width);
        weights.add(`${convolution}.bias`, [width], (random) => random() - 0.5);
        for (const [layer, [outputs, inputs]] of [[0, [units, 1]], [4, [units, units]], [8, [rows, units]]] as const) {
          const linear = `${convolution}.Kernel.kernel_net.${layer}`;
          weights.add(`${linear}.weight_v`, [outputs, inputs, 1], (random) => random() - 0.5);
          weights.add(`${linear}.weight_g`, [outputs, 1, 1], (random) => (0.5 + random()) / (layer === 8 ? Math.sqrt(pixels * width) : 1));
          weights.add(`${linear}.bias`, [outputs], (random) => (random() - 0.5) / (layer === 8 ? Math.sqrt(pixels * width) : 1));
        }
        weights.norm(`backbone.${block}.norm${n}.layer_norm`, width);
      }
      if (block === 0) weights.matrix('backbone.0.shortcut.0', [width, 1, 1]);
    }
    weights.matrix('finallyr', [CLASSES, width]);
    return { model: 'CKCNN', kernelnet_omega_0: 30, train_length: pixels };
  },
};

function classifier(weights: RandomTensors, { pixels, width, layers }: ImageSizes, layer: (scope: string) => void): object {
  weights.matrix('encoder', [width, 1]);
  for (let i = 0; i < layers; i++) {
    layer(`s4_layers.${i}.`);
    weights.norm(`norms.${i}`, width);
  }
  weights.matrix('decoder', [CLASSES, width]);
  return { l_max: pixels };
}

/** Steps of 0.001 to 0.1, as the repository draws them. */
const logStep = (random: () => number): number => Math.log(0.001) + random() * Math.log(100);

/** An S4 block of rank 1 whose C is not tuned to a length. */
function s4Layer(weights: RandomTensors, scope: string, width: number, states: number): void {
  weights.add(`${scope}layer.D`, [1, width], (random) => random());
  weights.add(`${scope}layer.kernel.C`, [1, width, states, 2], (random) => random() - 0.5);
  weights.add(`${scope}layer.kernel.B`, [1, 1, states, 2], (random, i) => (i % 2 === 0 ? 1 : 0.2 * random()));
  weights.add(`${scope}layer.kernel.P`, [1, 1, states, 2], (random) => 0.3 * random());
  weights.add(`${scope}layer.kernel.A_real`, [1, states], () => Math.log(0.5));
  weights.add(`${scope}layer.kernel.A_imag`, [1, states], (_, i) => -Math.PI * i);
  weights.add(`${scope}layer.kernel.inv_dt`, [width, 1], logStep);
  weights.add(`${scope}layer.kernel.l_kernel`, [1], () => 0, 'I32');
  weights.matrix(`${scope}output_linear.0`, [2 * width, width]);
}

/** Tensors of random values, the same in each run. */
class RandomTensors {
  readonly entries: TensorEntry[] = [];
  private readonly random = mulberry32(1);

  add(name: string, shape: readonly number[], value: (random: () => number, i: number) => number, dtype: 'F32' | 'I32' = 'F32'): void {
    const size = shape.reduce((a, b) => a * b, 1);
    const values = dtype === 'F32' ? new Float32Array(size) : new Int32Array(size);
    for (let i = 0; i < size; i++) values[i] = value(this.random, i);
    this.entries.push({ name, dtype, shape, data: new Uint8Array(values.buffer) });
  }

  /** A linear layer, scaled so that its outputs are about as large as its inputs. */
  matrix(name: string, shape: readonly number[], bias = true): void {
    this.add(`${name}.weight`, shape, (random) => (2 * random() - 1) * Math.sqrt(3 / shape[1]));
    if (bias) this.add(`${name}.bias`, shape.slice(0, 1), (random) => 0.1 * random());
  }

  norm(name: string, channels: number): void {
    this.add(`${name}.weight`, [channels], () => 1);
    this.add(`${name}.bias`, [channels], () => 0);
  }
}
