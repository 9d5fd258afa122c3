import type { DenseSession, DenseSessions } from '../../graph/dense-sessions';
import { ElementType, GraphBuilder, int, ints, IR_VERSION, OPSET_VERSION } from '../../graph/builder';
import { fftSizeFor } from '../../graph/long-conv-op';
import { onnx } from '../../graph/onnx';
import { constantTransformSize, emitSpectralConvolution } from '../../graph/spectral-convolution';
import { forwardReal } from '../../families/onnx/spectrum';
import { median } from '../statistics';
import type { BenchShape } from './request';

/** Beyond these sizes a baseline takes minutes or gigabytes and is left out. */
const MOST_DFT_POINTS = 2 ** 25;
const MOST_CONV_PRODUCTS = 2 ** 33;
const MIN_SAMPLES = 3;
const BUDGET_MS = 1500;

/** A convolution for ONNX Runtime, in float32. */
export interface OnnxQuestion {
  readonly shape: BenchShape;
  readonly circular: boolean;
  /** [channels, taps] */
  readonly filter: Float32Array;
  readonly taps: number;
  /** [B, H, L] each */
  readonly input: Float32Array;
  readonly gates?: { readonly pre: Float32Array; readonly post: Float32Array };
}

/** Median milliseconds of transform, product with the prepared spectrum and inverse transform; undefined where too large to wait for. */
export async function onnxDftMs(sessions: DenseSessions, question: OnnxQuestion): Promise<number | undefined> {
  const { shape: { batch, channels, length }, circular, filter, taps } = question;
  const fftSize = circular ? length : fftSizeFor(length);
  // ONNX Runtime's DFT of lengths other than powers of two loses digits and time: no yardstick.
  if (batch * channels * fftSize > MOST_DFT_POINTS || !Number.isInteger(Math.log2(fftSize))) return undefined;
  return timeGraph(sessions, question, (b, gated) => {
    const bins = fftSize / 2 + 1;
    const spectrum = new Float32Array(channels * bins * 2);
    for (let c = 0; c < channels; c++) {
      const row = new Float64Array(fftSize);
      row.set(filter.subarray(c * taps, (c + 1) * taps));
      spectrum.set(forwardReal(row, row.length), c * bins * 2);
    }
    return emitSpectralConvolution(b, 'dft', gated, b.floats('spectrum', [channels, bins, 2], spectrum), constantTransformSize(b, 'dft', fftSize));
  });
}

/** Median milliseconds of the depthwise Conv operator with explicit taps; undefined for circular convolutions, and where it would take too long. */
export async function onnxConvMs(sessions: DenseSessions, question: OnnxQuestion): Promise<number | undefined> {
  const { shape: { batch, channels, length }, circular, filter, taps } = question;
  if (circular || batch * channels * length * taps > MOST_CONV_PRODUCTS) return undefined;
  return timeGraph(sessions, question, (b, gated) => {
    // A cross-correlation: taps go last first.
    const rows = filter.slice(0, channels * taps);
    for (let c = 0; c < channels; c++) rows.subarray(c * taps, (c + 1) * taps).reverse();
    return b.node('Conv', 'conv', [gated, b.floats('taps', [channels, 1, taps], rows)], {
      attributes: { group: int(channels), kernel_shape: ints([taps]), pads: ints([taps - 1, 0]) },
    });
  });
}

async function timeGraph(sessions: DenseSessions, question: OnnxQuestion, emit: (b: GraphBuilder, gated: string) => string): Promise<number> {
  const { shape: { batch, channels, length }, input, gates } = question;
  const dims = [batch, channels, length];
  const b = new GraphBuilder();
  const feeds = new Map([['u', { type: 'float32' as const, data: input, dims }]]);
  let u = b.input('u', ElementType.FLOAT, dims);
  if (gates) {
    feeds.set('pre', { type: 'float32', data: gates.pre, dims });
    feeds.set('post', { type: 'float32', data: gates.post, dims });
    u = b.node('Mul', 'gate', [u, b.input('pre', ElementType.FLOAT, dims)]);
  }
  const convolved = emit(b, u);
  const y = gates ? b.node('Mul', 'gate', [convolved, b.input('post', ElementType.FLOAT, dims)]) : convolved;
  b.output(y, ElementType.FLOAT, dims);
  const model = onnx.ModelProto.encode({ irVersion: IR_VERSION, graph: b.graph('bench'), opsetImport: [{ domain: '', version: OPSET_VERSION }] }).finish();
  const session: DenseSession = await sessions.create(model);
  try {
    await session.run(feeds, [y]);
    const samples: number[] = [];
    const start = performance.now();
    while (samples.length < MIN_SAMPLES || performance.now() - start < BUDGET_MS) {
      const begin = performance.now();
      await session.run(feeds, [y]);
      samples.push(performance.now() - begin);
      if (performance.now() - start > 10 * BUDGET_MS) break;
    }
    return median(samples);
  } finally {
    await session.dispose();
  }
}
