import type { Use } from './graph-view';
import type { OnnxNode, OnnxTensor } from '../../formats/onnx/structure';
import type { Direction } from '../model';

/**
 * A long convolution of an ONNX graph: the value `u` goes in, the value `y` comes out, and all nodes between them together are one
 * convolution along one axis with a filter that does not depend on the input.
 */
export interface OnnxSite {
  readonly id: string;
  readonly operator: 'Conv' | 'DFT';
  /** H */
  readonly channels: number;
  /** L */
  readonly taps: number;
  readonly direction: Direction;
  readonly u: SignalLayout;
  readonly y: SignalLayout;
  /** Zeros that follow the input before it is convolved, because the convolution's tail is part of y or a ring is longer than the input. */
  readonly tail: number;
  /** y = scale * (conv(u, k)) + bias */
  readonly scale: number;
  /** Value [H] that is added to each channel. */
  readonly bias?: string;
  readonly cut: FilterCut;
  /** Points of the transform of a DFT site. */
  readonly fftSize?: number;
  /** Nodes that make y from u and nothing else, with the one that makes y last. */
  readonly nodes: readonly OnnxNode[];
}

/** How a signal lies in a value of the graph. */
export interface SignalLayout {
  readonly value: string;
  /** Sizes at the length the model was analysed for, without the trailing dimension. */
  readonly dims: readonly number[];
  readonly timeAxis: number;
  /** Axes that together are the channels, outermost first; the others but time are the batch. */
  readonly channelAxes: readonly number[];
  /** A last dimension of size 1, where real numbers lie as the real parts of complex ones. */
  readonly trailing: boolean;
  /** Element type as ONNX Runtime names it. */
  readonly type: string;
}

/** The value that holds a site's filter, and the place where it is read. */
export interface FilterCut {
  /** '' where the filter is put together from several values. */
  readonly value: string;
  readonly use?: Use;
  readonly dims: readonly number[];
  readonly type: string;
  /** taps: k itself. spectrum: its transform, half or whole, as pairs. */
  readonly form: 'taps' | 'spectrum';
  /** Element number j of channel h = o * inner + i lies at (o * size + j) * inner + i. */
  readonly outer: number;
  readonly size: number;
  readonly inner: number;
  /** Which lag element j is: origin - j in a Conv, where `origin` is the tap of lag 0; j on a ring of `ring` points in a DFT. */
  readonly lags: { readonly origin: number } | { readonly ring: number };
  /** The tensor of the file whose elements are the cut's, in the same order; undefined where the filter is computed. */
  readonly tensor?: OnnxTensor;
  /** Nothing else in the model reads that tensor. */
  readonly exclusive: boolean;
  /** Spectrum only: what is in the cut times this is what acts. */
  readonly factor: number;
}

/** A long convolution that was found but cannot be operated on. */
export interface Finding {
  readonly id: string;
  readonly operator: string;
  /** A sentence without its subject: "is inside the body of a Loop". */
  readonly reason: string;
}

export type Outcome = { readonly site: OnnxSite } | { readonly finding: Finding };

/** Element of the cut that is the lag in a column of the site's filter rows (see Site.direction); -1 where none is. */
export function cutElement(site: Pick<OnnxSite, 'direction' | 'taps' | 'cut'>, column: number): number {
  const { direction, taps, cut } = site;
  const lag = direction === 'bidirectional' && column >= taps ? column - 2 * taps : column;
  // The outermost negative lag of the rows has no counterpart.
  if (lag === -taps) return -1;
  const element = 'origin' in cut.lags ? cut.lags.origin - lag : lag < 0 ? cut.lags.ring + lag : lag;
  const elements = 'ring' in cut.lags && cut.form === 'spectrum' ? cut.lags.ring : cut.size;
  return element >= 0 && element < elements ? element : -1;
}
