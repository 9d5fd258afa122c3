import type { TensorFile } from '../../formats/tensor-file';
import type { FilterSource } from '../shared/family-model';
import type { S4Settings } from './config';
import { readStates } from './diagonal';
import type { FullKernelNames } from './layout';
import { identityMinus, power, solveTransposed } from './dense';

/**
 * S4 with state matrix A = diag(Lambda) - P P^H over conjugate pairs. Its discretisation (bilinear) x[l+1] = dA x[l], x[0] = dB,
 * k[l] = C x[l] is a real-linear recurrence on the N stored complex states, the other N being their conjugates; one step costs O(N rank)
 * by Woodbury's formula. The stored C is tuned to a length L, C~ = C (I - dA^L), and is turned back once for each channel; so the
 * filter is the same at any length, as in the original code, which doubles L as needed. Float64 throughout.
 * Source: state-spaces/s4, models/s4/s4.py, SSMKernelDPLR (Gu, Goel, Re 2022), which evaluates the same filter by Cauchy kernels.
 */
export function dplrSource(file: TensorFile, names: FullKernelNames, settings: S4Settings, tuned: number): FilterSource {
  let loading: Promise<(row: number) => Recurrence> | undefined;
  const recurrences = new Map<number, Recurrence>();
  return async ({ channels: [firstChannel, endChannel], taps: [first, end] }) => {
    loading ??= load(file, names, settings, tuned);
    const make = await loading;
    const out = new Float32Array((endChannel - firstChannel) * (end - first));
    for (let row = firstChannel; row < endChannel; row++) {
      let recurrence = recurrences.get(row);
      if (!recurrence) recurrences.set(row, (recurrence = make(row)));
      recurrence.read(first, out.subarray((row - firstChannel) * (end - first), (row - firstChannel + 1) * (end - first)));
    }
    return out;
  };
}

async function load(
  file: TensorFile, names: FullKernelNames, settings: S4Settings, tuned: number,
): Promise<(row: number) => Recurrence> {
  const parameters = await readStates(file, names, settings);
  const { states, matrices } = parameters;
  const P = await file.readFloat32(names.P!);
  const rank = P.length / (2 * states * matrices);
  return (row) => {
    const complexRow = (of: (n: number) => { re: number; im: number }): Complexes => {
      const values = { re: new Float64Array(states), im: new Float64Array(states) };
      for (let n = 0; n < states; n++) ({ re: values.re[n], im: values.im[n] } = of(n));
      return values;
    };
    const columns = Array.from({ length: rank }, (_, r) => complexRow((n) => {
      const at = 2 * ((r * matrices + parameters.matrix(row)) * states + n);
      return { re: P[at], im: P[at + 1] };
    }));
    const step = new Step(complexRow((n) => parameters.A(row, n)), columns, parameters.dt(row));
    const C = complexRow((n) => parameters.C(row, n));
    // 2 Re(C x) as a real row over [Re x, Im x].
    let readout = new Float64Array(2 * states);
    for (let n = 0; n < states; n++) {
      readout[n] = 2 * C.re[n];
      readout[states + n] = -2 * C.im[n];
    }
    if (tuned > 0) readout = solveTransposed(identityMinus(power(step.matrix(), 2 * states, tuned), 2 * states), readout);
    return new Recurrence(step, readout, step.input(complexRow((n) => parameters.B(row, n))));
  };
}

interface Complexes { readonly re: Float64Array; readonly im: Float64Array }

/** x -> dA x for one channel, on [Re x, Im x] of the stored half of the states. */
class Step {
  readonly size: number;
  /** 1 / (1 - dt/2 Lambda) */
  private readonly D: Complexes;
  /** D P, one for each rank. */
  private readonly DP: readonly Complexes[];
  /** Inverse of 2/dt I + P^H D P, real because the conjugate half mirrors the stored one: [rank, rank]. */
  private readonly inner: Float64Array;
  private readonly scratch: Float64Array;

  constructor(private readonly A: Complexes, private readonly P: readonly Complexes[], private readonly dt: number) {
    const n = A.re.length;
    this.size = n;
    this.D = { re: new Float64Array(n), im: new Float64Array(n) };
    for (let i = 0; i < n; i++) {
      const [re, im] = [1 - (dt / 2) * A.re[i], -(dt / 2) * A.im[i]];
      const norm = re * re + im * im;
      this.D.re[i] = re / norm;
      this.D.im[i] = -im / norm;
    }
    this.DP = P.map((p) => product(this.D, p));
    const rank = P.length;
    const matrix = new Float64Array(rank * rank);
    P.forEach((p, i) => this.DP.forEach((q, j) => {
      matrix[i * rank + j] = inner(p, q) + (i === j ? 2 / dt : 0);
    }));
    this.inner = new Float64Array(rank * rank);
    for (let i = 0; i < rank; i++) {
      const unit = new Float64Array(rank);
      unit[i] = 1;
      // Rows of the inverse are the solutions of the transposed system.
      this.inner.set(solveTransposed(Float64Array.from(matrix), unit), i * rank);
    }
    this.scratch = new Float64Array(rank);
  }

  /** dB = (I - dt/2 A)^-1 dt B. */
  input(B: Complexes): Float64Array {
    const x = new Float64Array(2 * this.size);
    x.set(B.re.map((value) => value * this.dt));
    x.set(B.im.map((value) => value * this.dt), this.size);
    this.solve(x);
    return x;
  }

  /** x <- dA x */
  advance(x: Float64Array): void {
    const { A, P, size: n, dt, scratch } = this;
    const half = dt / 2;
    for (let r = 0; r < P.length; r++) scratch[r] = half * innerWith(P[r], x, n);
    for (let i = 0; i < n; i++) {
      const re = x[i];
      const im = x[n + i];
      x[i] = re + half * (A.re[i] * re - A.im[i] * im);
      x[n + i] = im + half * (A.re[i] * im + A.im[i] * re);
    }
    for (let r = 0; r < P.length; r++) {
      const w = scratch[r];
      const { re, im } = P[r];
      for (let i = 0; i < n; i++) {
        x[i] -= w * re[i];
        x[n + i] -= w * im[i];
      }
    }
    this.solve(x);
  }

  /** x <- (I - dt/2 A)^-1 x = D x - D P (2/dt + P^H D P)^-1 P^H D x */
  private solve(x: Float64Array): void {
    const { D, DP, P, size: n, inner: M, scratch } = this;
    for (let i = 0; i < n; i++) {
      const re = x[i];
      const im = x[n + i];
      x[i] = D.re[i] * re - D.im[i] * im;
      x[n + i] = D.re[i] * im + D.im[i] * re;
    }
    const rank = P.length;
    for (let r = 0; r < rank; r++) scratch[r] = innerWith(P[r], x, n);
    for (let r = 0; r < rank; r++) {
      let w = 0;
      for (let s = 0; s < rank; s++) w += M[r * rank + s] * scratch[s];
      const { re, im } = DP[r];
      for (let i = 0; i < n; i++) {
        x[i] -= w * re[i];
        x[n + i] -= w * im[i];
      }
    }
  }

  /** [2N, 2N] dA as a real matrix. */
  matrix(): Float64Array {
    const m = 2 * this.size;
    const out = new Float64Array(m * m);
    for (let j = 0; j < m; j++) {
      const x = new Float64Array(m);
      x[j] = 1;
      this.advance(x);
      for (let i = 0; i < m; i++) out[i * m + j] = x[i];
    }
    return out;
  }
}

/** A channel's filter, tap after tap; reading on from where the last reading ended costs nothing more. */
class Recurrence {
  private at = 0;
  private x: Float64Array;

  constructor(private readonly step: Step, private readonly readout: Float64Array, private readonly start: Float64Array) {
    this.x = Float64Array.from(start);
  }

  /** Writes taps first, first + 1, ... */
  read(first: number, out: Float32Array): void {
    if (first < this.at) {
      this.at = 0;
      this.x = Float64Array.from(this.start);
    }
    const end = first + out.length;
    for (; this.at < end; this.at++) {
      if (this.at >= first) {
        let k = 0;
        for (let i = 0; i < this.x.length; i++) k += this.readout[i] * this.x[i];
        out[this.at - first] = k;
      }
      this.step.advance(this.x);
    }
  }
}

function product(a: Complexes, b: Complexes): Complexes {
  return {
    re: a.re.map((re, i) => re * b.re[i] - a.im[i] * b.im[i]),
    im: a.re.map((re, i) => re * b.im[i] + a.im[i] * b.re[i]),
  };
}

/** sum over all states, stored and conjugate, of conj(a) b: 2 Re sum conj(a) b. */
const inner = (a: Complexes, b: Complexes): number => a.re.reduce((sum, re, i) => sum + 2 * (re * b.re[i] + a.im[i] * b.im[i]), 0);

function innerWith({ re, im }: Complexes, x: Float64Array, n: number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += re[i] * x[i] + im[i] * x[n + i];
  return 2 * sum;
}
