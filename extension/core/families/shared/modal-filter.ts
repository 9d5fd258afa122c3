import type { ModalFilterRequest } from '../../engine/engine';
import { type FilterSource, resultArray } from './family-model';

/** Poles and residues of some channels; see ModalFilterRequest. */
export type ModalParameters = Omit<ModalFilterRequest, 'channels' | 'first' | 'count' | 'output'>;

/** A filter that is a sum of exponentials. `read` gives the parameters of channels [first, end). */
export function modalSource(read: (first: number, end: number) => Promise<ModalParameters>): FilterSource {
  return async ({ channels: [firstChannel, endChannel], taps: [first, end] }, engine, reuse) => {
    const [channels, count] = [endChannel - firstChannel, end - first];
    const output = resultArray(channels * count, reuse);
    if (output.length > 0) {
      await engine.modalFilter({ ...(await read(firstChannel, endChannel)), channels, first, count, output });
    }
    return output;
  };
}

/** A complex number. */
export interface Complex { readonly re: number; readonly im: number }

export const complex = (re: number, im = 0): Complex => ({ re, im });
export const add = (a: Complex, b: Complex): Complex => complex(a.re + b.re, a.im + b.im);
export const scaled = (a: Complex, factor: number): Complex => complex(a.re * factor, a.im * factor);
export const times = (a: Complex, b: Complex): Complex => complex(a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re);
export const over = (a: Complex, b: Complex): Complex => scaled(times(a, complex(b.re, -b.im)), 1 / (b.re * b.re + b.im * b.im));
export const exponential = (a: Complex): Complex => scaled(complex(Math.cos(a.im), Math.sin(a.im)), Math.exp(a.re));
/** Principal value; -Infinity for 0. */
export const logarithm = (a: Complex): Complex => complex(Math.log(Math.hypot(a.re, a.im)), Math.atan2(a.im, a.re));

/** Parameters from one (pole logarithm, residue) pair for each channel and state. */
export function modalParameters(channels: number, states: number, of: (channel: number, state: number) => { logPole: Complex; residue: Complex }): ModalParameters {
  const array = (): Float64Array => new Float64Array(channels * states);
  const logPoles = { re: array(), im: array() };
  const residues = { re: array(), im: array() };
  for (let channel = 0, i = 0; channel < channels; channel++) {
    for (let state = 0; state < states; state++, i++) {
      const { logPole, residue } = of(channel, state);
      logPoles.re[i] = logPole.re;
      logPoles.im[i] = logPole.im;
      residues.re[i] = residue.re;
      residues.im[i] = residue.im;
    }
  }
  return { states, logPoles, residues };
}
