import type { TensorFile } from '../../formats/tensor-file';
import type { FilterSource } from '../shared/family-model';
import { add, complex, exponential, logarithm, modalParameters, modalSource, over, scaled, times } from '../shared/modal-filter';
import type { DiagonalNames, ExplicitNames, ShiftNames } from './layout';

export type Discretisation = 'bilinear' | 'zoh';

/** Source: HazyResearch/H3, ss_kernel_shift.py: K[l] = sum_n B[n] C[n + l] for l < N, and 0 beyond. */
export function shiftSource(file: TensorFile, names: ShiftNames, states: number): FilterSource {
  return async ({ channels: [firstChannel, endChannel], taps: [first, end] }) => {
    const B = await file.readFloat32(names.B, firstChannel * states, endChannel * states);
    const C = await file.readFloat32(names.C, firstChannel * states, endChannel * states);
    const rows = new Float32Array((endChannel - firstChannel) * (end - first));
    for (let c = 0; c < endChannel - firstChannel; c++) {
      for (let lag = first; lag < end; lag++) {
        let sum = 0;
        for (let n = 0; n + lag < states; n++) sum += B[c * states + n] * C[c * states + n + lag];
        rows[c * (end - first) + lag - first] = sum;
      }
    }
    return rows;
  };
}

/**
 * Source: HazyResearch/H3, ss_kernel_diag.py: K[l] = 2 Re sum_n Cb[n] Ad[n]^l with A = -exp(inv_A_real) + i A_imag, dt = exp(log_dt);
 * bilinear: Cb = B C dt / (1 - dt A / 2), Ad = (1 + dt A / 2) / (1 - dt A / 2); zoh: Cb = B C (exp(dt A) - 1) / A, Ad = exp(dt A).
 * State matrices are repeated over the channels: channel h has number h mod S.
 */
export function diagonalSource(file: TensorFile, names: DiagonalNames, states: number, discretisation: Discretisation): FilterSource {
  return modalSource(async (first, end) => {
    const C = await file.readFloat32(names.C, first * states * 2, end * states * 2);
    const logDt = await file.readFloat32(names.logDt, first, end);
    const [B, invAReal, AImag] = [await file.readFloat32(names.B), await file.readFloat32(names.invAReal), await file.readFloat32(names.AImag)];
    const matrices = invAReal.length / states;
    return modalParameters(end - first, states, (channel, n) => {
      const at = ((first + channel) % matrices) * states + n;
      const mine = channel * states + n;
      const A = complex(-Math.exp(invAReal[at]), AImag[at]);
      const dt = Math.exp(logDt[channel]);
      const BC = scaled(times(complex(B[2 * at], B[2 * at + 1]), complex(C[2 * mine], C[2 * mine + 1])), 2);
      if (discretisation === 'zoh') {
        return { logPole: scaled(A, dt), residue: times(BC, over(add(exponential(scaled(A, dt)), complex(-1)), A)) };
      }
      const below = add(complex(1), scaled(A, -dt / 2));
      return { logPole: logarithm(over(add(complex(1), scaled(A, dt / 2)), below)), residue: scaled(over(BC, below), dt) };
    });
  });
}

/** Stored taps, squashed: sign(k) max(|k| - lam, 0). Source: HazyResearch/safari, long_conv_kernel.py. */
export function squashedSource(file: TensorFile, names: ExplicitNames, taps: number, lam: number): FilterSource {
  return async ({ channels: [firstChannel, endChannel], taps: [first, end] }) => {
    const rows = new Float32Array((endChannel - firstChannel) * (end - first));
    for (let c = firstChannel; c < endChannel; c++) {
      const row = await file.readFloat32(names.kernel, c * taps + first, c * taps + end);
      rows.set(row.map((k) => Math.sign(k) * Math.max(Math.abs(k) - lam, 0)), (c - firstChannel) * (end - first));
    }
    return rows;
  };
}
