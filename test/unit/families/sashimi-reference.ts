import { erf } from './erf';

/** A network as its tensors: values by name (without `model.`), and the float64 or float32 filters of its S4 layers, [channels, taps], by module. */
export interface SashimiTensors {
  readonly weights: ReadonlyMap<string, ArrayLike<number>>;
  readonly filters: ReadonlyMap<string, { readonly rows: ArrayLike<number>; readonly taps: number }>;
}

/** Rows of channels: x[channel][sample]. */
type Signal = number[][];

/**
 * Logits [length][vocabulary] of SaShiMi in float64 sums, written from the definition of the standalone model alone (state-spaces/s4, models/sashimi/sashimi.py). Residual blocks are
 * x + layer(LayerNorm(x)). Every output on the way down is kept. Without `unet` there are only poolings on the way down; on the way up a
 * tier adds the kept value of its rate behind its pooling, and that sum again behind its last block. With `unet` there are blocks before each
 * pooling too, and on the way up every module's output gets the next kept value from the end.
 */
export function sashimi(tensors: SashimiTensors, ids: ArrayLike<number>, pool: readonly number[], blocks: number, unet: boolean): number[][] {
  const { weights } = tensors;
  const width = weights.get('decoder.weight')!.length / weights.get('decoder.bias')!.length;
  let x: Signal = Array.from({ length: width }, (_, c) => Array.from(ids, (id) => weights.get('encoder.weight')![id * width + c]));
  const kept = [x];
  let index = 0;
  for (const samples of pool) {
    for (let i = 0; unet && i < blocks; i++) {
      for (const layer of [s4Block, feedForwardBlock]) {
        x = layer(tensors, `d_layers.${index++}`, x);
        kept.push(x);
      }
    }
    x = downPool(tensors, `d_layers.${index++}`, x, samples);
    kept.push(x);
  }
  for (let i = 0; i < blocks; i++) x = feedForwardBlock(tensors, `c_layers.${2 * i + 1}`, s4Block(tensors, `c_layers.${2 * i}`, x));
  x = plus(x, kept.pop()!);
  [...pool].reverse().forEach((samples, tier) => {
    x = plus(upPool(tensors, `u_layers.${tier}.0`, x, samples), kept.pop()!);
    const before = x;
    for (let i = 0; i < 2 * blocks; i++) {
      x = (i % 2 === 0 ? s4Block : feedForwardBlock)(tensors, `u_layers.${tier}.${i + 1}`, x);
      if (unet) x = plus(x, kept.pop()!);
    }
    if (!unet) x = plus(x, before);
  });
  const out = linear(tensors, 'decoder', layerNorm(tensors, 'norm', x));
  return out[0].map((_, t) => out.map((row) => row[t]));
}

const plus = (a: Signal, b: Signal): Signal => a.map((row, c) => row.map((value, t) => value + b[c][t]));
const gelu = (x: number): number => (x / 2) * (1 + erf(x / Math.SQRT2));

/** The weight of a linear layer [rows, columns]; where it is stored as directions and lengths, each row is its length times its direction's unit vector. */
function weightOf({ weights }: SashimiTensors, name: string): ArrayLike<number> {
  const [direction, lengths] = [weights.get(`${name}.weight_v`), weights.get(`${name}.weight_g`)];
  if (!direction || !lengths) return weights.get(`${name}.weight`)!;
  const columns = direction.length / lengths.length;
  return Array.from(direction, (value, i) => {
    const row = Array.from({ length: columns }, (_, j) => direction[Math.floor(i / columns) * columns + j]);
    return (lengths[Math.floor(i / columns)] * value) / Math.sqrt(row.reduce((sum, v) => sum + v * v, 0));
  });
}

function linear(tensors: SashimiTensors, name: string, x: Signal): Signal {
  const [weight, bias] = [weightOf(tensors, name), tensors.weights.get(`${name}.bias`)!];
  return Array.from(bias, (b, o) => x[0].map((_, t) => x.reduce((sum, row, i) => sum + weight[o * x.length + i] * row[t], b)));
}

/** With weight and bias of each channel; or the training code's s / std (x - mean + m) with two scalars and no epsilon. */
function layerNorm({ weights }: SashimiTensors, name: string, x: Signal): Signal {
  const statistics = x[0].map((_, t) => {
    const mean = x.reduce((sum, row) => sum + row[t], 0) / x.length;
    return { mean, variance: x.reduce((sum, row) => sum + (row[t] - mean) ** 2, 0) / x.length };
  });
  const [m, s] = [weights.get(`${name}.norm.m`), weights.get(`${name}.norm.s`)];
  if (m && s) return x.map((row) => row.map((value, t) => (s[0] / Math.sqrt(statistics[t].variance)) * (value - statistics[t].mean + m[0])));
  const [scale, shift] = [weights.get(`${name}.weight`)!, weights.get(`${name}.bias`)!];
  return x.map((row, c) => row.map((value, t) => ((value - statistics[t].mean) / Math.sqrt(statistics[t].variance + 1e-5)) * scale[c] + shift[c]));
}

/** Convolution and skip term, GELU, a linear layer to twice the channels, and a * sigmoid(b) of its halves. */
function s4Block(tensors: SashimiTensors, name: string, x: Signal): Signal {
  const { rows, taps } = tensors.filters.get(name)!;
  const skip = tensors.weights.get(`${name}.layer.layer.D`)!;
  const u = layerNorm(tensors, `${name}.norm`, x);
  const convolved = u.map((row, c) => row.map((value, t) => {
    let sum = skip[c] * value;
    for (let j = 0; j <= t; j++) sum += rows[c * taps + j] * row[t - j];
    return gelu(sum);
  }));
  const mixed = linear(tensors, `${name}.layer.output_linear.0`, convolved);
  return x.map((row, c) => row.map((value, t) => value + mixed[c][t] / (1 + Math.exp(-mixed[x.length + c][t]))));
}

function feedForwardBlock(tensors: SashimiTensors, name: string, x: Signal): Signal {
  const hidden = linear(tensors, `${name}.layer.ff.0.0`, layerNorm(tensors, `${name}.norm`, x)).map((row) => row.map(gelu));
  return plus(x, linear(tensors, `${name}.layer.ff.2`, hidden));
}

/** `samples` neighbours of a channel become as many channels, next to each other; then a linear layer. */
function downPool(tensors: SashimiTensors, name: string, x: Signal, samples: number): Signal {
  const folded = x.flatMap((row) => Array.from({ length: samples }, (_, s) => row.filter((__, t) => t % samples === s)));
  return linear(tensors, `${name}.linear`, folded);
}

/** A linear layer, a zero in front of each channel instead of its last sample, and groups of `samples` channels become one channel. */
function upPool(tensors: SashimiTensors, name: string, x: Signal, samples: number): Signal {
  const late = linear(tensors, `${name}.linear`, x).map((row) => [0, ...row.slice(0, -1)]);
  return Array.from({ length: late.length / samples }, (_, c) => late[0].flatMap((__, t) => Array.from({ length: samples }, (___, s) => late[c * samples + s][t])));
}
