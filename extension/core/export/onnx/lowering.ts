import { type GraphBuilder, int, ints } from '../../graph/builder';
import { addLongConv, emitSkipAndPostGate, fftSizeFor, type LongConvNode } from '../../graph/long-conv-op';
import { constantTransformSize, emitRealSpectrum, emitSpectralConvolution } from '../../graph/spectral-convolution';
import type { SiteFilter } from '../../plan/site-filter';
import { circularKernel, circularSize, isCausal, lagKernel, spectrumKernel, takesAnyLength } from './site-kernel';

/** Up to this many taps a depthwise Conv is at least as fast in ONNX Runtime as its DFT, and it is simpler. */
export const CONV_TAPS = 256;

/** How an exported graph expresses a long convolution. */
export type Lowering = 'dft' | 'conv' | 'function';

/** Replaces one LongConv node by other nodes, the last of which makes the node's output. `length`: longest input of the site, in samples. */
export type Lower = (b: GraphBuilder, node: LongConvNode, filter: SiteFilter, length: number) => void;

/**
 * dft: transform, product, inverse transform on a power of two of points, at least 2 * length. Causal filters are stored as taps, half
 * the size of their spectrum; filters with negative lags as their spectrum on the mask's own grid.
 */
const lowerToDft: Lower = (b, node, filter, length) => {
  const { site, u, preGate } = node;
  const { channels } = filter.site;
  const gated = preGate ? b.node('Mul', site, [u, preGate]) : u;
  let convolved: string;
  if (isCausal(filter)) {
    const { rows, past } = lagKernel(filter, length);
    const size = constantTransformSize(b, site, fftSizeFor(length));
    const k = b.floats(`${site}/taps`, [channels, past + 1], rows);
    convolved = emitSpectralConvolution(b, site, gated, emitRealSpectrum(b, site, k, 1, size), size);
  } else {
    const { fftSize, spectrum } = spectrumKernel(filter, length);
    const initializer = b.floats(`${site}/spectrum`, [channels, fftSize / 2 + 1, 2], spectrum);
    convolved = emitSpectralConvolution(b, site, gated, initializer, constantTransformSize(b, site, fftSize));
  }
  b.nameLast(emitSkipAndPostGate(b, site, { ...node, gated, convolved }), node.output);
};

/** conv: a depthwise Conv. It is a cross-correlation, so the lags are stored highest first; negative lags become padding on the right. */
const lowerToConv: Lower = (b, node, filter, length) => {
  const { site, u, preGate } = node;
  const { channels } = filter.site;
  const { future, past, rows } = lagKernel(filter, takesAnyLength(filter) ? Infinity : length);
  const width = future + past + 1;
  for (let channel = 0; channel < channels; channel++) rows.subarray(channel * width, (channel + 1) * width).reverse();
  const weight = b.floats(`${site}/kernel`, [channels, 1, width], rows);
  const gated = preGate ? b.node('Mul', site, [u, preGate]) : u;
  const convolved = b.node('Conv', site, [gated, weight], {
    attributes: { group: int(channels), kernel_shape: ints([width]), pads: ints([past, future]) },
  });
  b.nameLast(emitSkipAndPostGate(b, site, { ...node, gated, convolved }), node.output);
};

/** function: the node stays and takes its filter from an initializer; what it means is said by the model's function `LongConv`. */
const keepAsFunction: Lower = (b, node, filter, length) => {
  const { site } = node;
  const { channels } = filter.site;
  let y: string;
  if (isCausal(filter)) {
    const { rows, past } = lagKernel(filter, length);
    y = addLongConv(b, { ...node, mode: 'causal', k: b.floats(`${site}/taps`, [channels, past + 1], rows) }, fftSizeFor(length));
  } else {
    const { fftSize, rows } = circularKernel(filter, length);
    y = addLongConv(b, { ...node, mode: 'grid', k: b.floats(`${site}/lags`, [channels, fftSize], rows) }, fftSize);
  }
  b.nameLast(y, node.output);
};

export const LOWERINGS: Readonly<Record<Lowering, Lower>> = { dft: lowerToDft, conv: lowerToConv, function: keepAsFunction };

/** Upper bound of the bytes that a lowered site's filter takes in the file. */
export function loweredBytes(filter: SiteFilter, length: number, lowering: Lowering): number {
  const { channels } = filter.site;
  const taps = Math.max(...filter.parts.map(({ filterLength }) => filterLength));
  if (isCausal(filter)) return 4 * channels * (lowering === 'conv' ? taps : Math.min(taps, length));
  return 4 * channels * (lowering === 'conv' ? Math.max(taps, 2 * length - 1) : circularSize(filter, length) + 2);
}
