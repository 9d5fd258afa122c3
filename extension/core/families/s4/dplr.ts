import type { ComplexArray } from '../../engine/engine';
import type { TensorFile } from '../../formats/tensor-file';
import { type FilterSource, resultArray } from '../shared/family-model';
import type { Complex } from '../shared/modal-filter';
import type { S4Settings } from './config';
import { readStates } from './diagonal';
import type { FullKernelNames } from './layout';

/**
 * S4 with state matrix A = diag(Lambda) - P P^H over conjugate pairs, discretised bilinearly. The stored C is tuned to a length L,
 * C~ = C (I - dA^L), and turned back; so the filter is the same at any length, as in the original code, which doubles L as needed.
 * Source: state-spaces/s4, models/s4/s4.py, SSMKernelDPLR (Gu, Goel, Re 2022), which evaluates the same filter by Cauchy kernels.
 */
export function dplrSource(file: TensorFile, names: FullKernelNames, settings: S4Settings, tuned: number): FilterSource {
  return async ({ channels: [firstChannel, endChannel], taps: [first, end] }, engine, reuse) => {
    const [channels, count] = [endChannel - firstChannel, end - first];
    const output = resultArray(channels * count, reuse);
    if (output.length === 0) return output;
    const { states, matrices, matrix, dt, A, B, C } = await readStates(file, names, settings);
    const P = await file.readFloat32(names.P!);
    const rank = P.length / (2 * states * matrices);
    /** [channels, states] of the wanted rows. */
    const ofStates = (value: (row: number, n: number) => Complex): ComplexArray =>
      complexArray(channels * states, (i) => value(firstChannel + Math.floor(i / states), i % states));
    await engine.lowRankFilter({
      channels, states, rank, tuned, first, count, output,
      poles: ofStates(A), inputs: ofStates(B), outputs: ofStates(C),
      lowRank: complexArray(channels * rank * states, (i) => {
        const [row, r, n] = [firstChannel + Math.floor(i / (rank * states)), Math.floor(i / states) % rank, i % states];
        const at = 2 * ((r * matrices + matrix(row)) * states + n);
        return { re: P[at], im: P[at + 1] };
      }),
      steps: Float64Array.from({ length: channels }, (_, c) => dt(firstChannel + c)),
    });
    return output;
  };
}

function complexArray(length: number, of: (i: number) => Complex): ComplexArray {
  const array = { re: new Float64Array(length), im: new Float64Array(length) };
  for (let i = 0; i < length; i++) ({ re: array.re[i], im: array.im[i] } = of(i));
  return array;
}
