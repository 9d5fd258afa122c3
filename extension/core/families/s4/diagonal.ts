import type { TensorFile } from '../../formats/tensor-file';
import type { FilterSource } from '../shared/family-model';
import { add, complex, exponential, logarithm, modalParameters, modalSource, over, scaled, times } from '../shared/modal-filter';
import { apply, type S4Settings } from './config';
import type { FullKernelNames, KernelNames } from './layout';

/**
 * Source: state-spaces/s4, models/s4/s4d.py: K[l] = 2 Re sum_n C_n (exp(dt A_n) - 1) / A_n exp(dt A_n l), A = -exp(log_A_real) + i A_imag,
 * dt = exp(log_dt).
 */
export function minimalSource(file: TensorFile, names: Extract<KernelNames, { kind: 's4d' }>, states: number): FilterSource {
  return modalSource(async (first, end) => {
    const read = (name: string, size: number): Promise<Float32Array> => file.readFloat32(name, first * size, end * size);
    const [C, logDt, real, imaginary] = [await read(names.C, 2 * states), await read(names.logDt, 1), await read(names.logAReal, states), await read(names.AImag, states)];
    return modalParameters(end - first, states, (channel, n) => {
      const at = channel * states + n;
      const A = complex(-Math.exp(real[at]), imaginary[at]);
      const logPole = scaled(A, Math.exp(logDt[channel]));
      return { logPole, residue: scaled(times(complex(C[2 * at], C[2 * at + 1]), over(add(exponential(logPole), complex(-1)), A)), 2) };
    });
  });
}

/** Parameters of the full repository's kernels, by row i*H + h of the site (filter i of channel h). */
export async function readStates(file: TensorFile, names: FullKernelNames, settings: S4Settings) {
  const [C, invDt, real, imaginary, B] = [
    await file.readFloat32(names.C), await file.readFloat32(names.invDt), await file.readFloat32(names.AReal), await file.readFloat32(names.AImag), await file.readFloat32(names.B),
  ];
  const matrices = file.tensors.get(names.AReal)!.shape[0];
  const states = real.length / matrices;
  const width = invDt.length;
  const dt = names.release === 3 ? 'exp' : settings.dt;
  const turn = names.release === 3 ? 1 : -1;
  return {
    states, matrices, width,
    dt: (row: number): number => apply(dt, invDt[row % width]),
    /** State matrices are repeated over the channels: channel h has number h mod S. */
    matrix: (row: number): number => (row % width) % matrices,
    A: (row: number, n: number) => {
      const at = ((row % width) % matrices) * states + n;
      return complex(-apply(settings.real, real[at]), turn * apply(settings.imaginary, imaginary[at]));
    },
    B: (row: number, n: number) => {
      const at = ((row % width) % matrices) * states + n;
      return complex(B[2 * at], B[2 * at + 1]);
    },
    C: (row: number, n: number) => complex(C[2 * (row * states + n)], C[2 * (row * states + n) + 1]),
  };
}

/** Source: state-spaces/s4, models/s4/s4.py, SSMKernelDiag: as the minimal S4D with C B for C, and zero-order hold or bilinear steps. */
export function diagonalSource(file: TensorFile, names: FullKernelNames, settings: S4Settings): FilterSource {
  return modalSource(async (first, end) => {
    const { states, dt, A, B, C } = await readStates(file, names, settings);
    return modalParameters(end - first, states, (channel, n) => {
      const row = first + channel;
      const [step, pole] = [dt(row), A(row, n)];
      const limit = settings.bandlimit;
      const heard = limit === undefined || (step * Math.abs(pole.im)) / (2 * Math.PI) < limit / 2;
      const CB = heard ? scaled(times(C(row, n), B(row, n)), 2) : complex(0);
      if (settings.discretisation === 'zoh') {
        const logPole = scaled(pole, step);
        return { logPole, residue: times(CB, over(add(exponential(logPole), complex(-1)), pole)) };
      }
      const below = add(complex(1), scaled(pole, -step / 2));
      return { logPole: logarithm(over(add(complex(1), scaled(pole, step / 2)), below)), residue: scaled(over(CB, below), step) };
    });
  });
}
