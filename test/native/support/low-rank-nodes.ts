import type { ComplexArray, LowRankFilterRequest } from '../../../extension/core/engine/engine';
import { complex, scaled, times, type Complex } from '../../../extension/core/families/shared/modal-filter';
import { identity, matrixOf, multiplied, plus, solved, type ComplexMatrix } from './complex-matrix';

/** A channel's matrices over all 2N states, the stored ones and then their conjugates: A [2N, 2N], B [2N, 1], C [1, 2N]. */
function denseSystem({ states, rank, poles, lowRank, inputs, outputs }: LowRankFilterRequest, channel: number): Record<'A' | 'B' | 'C', ComplexMatrix> {
  /** Value n of row `row`, of all states. */
  const value = ({ re, im }: ComplexArray, row: number, n: number): Complex => {
    const at = row * states + (n % states);
    return complex(re[at], n < states ? im[at] : -im[at]);
  };
  const size = 2 * states;
  const P = matrixOf(size, rank, (n, r) => value(lowRank, channel * rank + r, n));
  const adjoint = matrixOf(rank, size, (r, n) => complex(P[n][r].re, -P[n][r].im));
  const diagonal = matrixOf(size, size, (i, j) => (i === j ? value(poles, channel, i) : complex(0)));
  return {
    A: plus(diagonal, multiplied(P, adjoint), -1),
    B: matrixOf(size, 1, (n) => value(inputs, channel, n)), C: matrixOf(1, size, (_, n) => value(outputs, channel, n)),
  };
}

/**
 * The first `tuned` lags of channel 0 as the original code finds them: the generating function C~ (I - dA z)^-1 dB at the roots of unity z, where
 * (I - dA z)^-1 dB = 2 / (1 + z) ((2 / dt) (1 - z) / (1 + z) - A)^-1 B, and an inverse transform. `tuned` is odd, so that z is never -1.
 * Source: Gu, Goel, Re 2022, "Efficiently modeling long sequences with structured state spaces", lemma C.3.
 */
export function nodesFilter(request: LowRankFilterRequest): Float64Array {
  const { steps: [dt], tuned: length = 0 } = request;
  const { A, B, C } = denseSystem(request, 0);
  const one = identity(A.length);
  const spectrum = Array.from({ length }, (_, f) => {
    const angle = (-2 * Math.PI * f) / length;
    const z = complex(Math.cos(angle), Math.sin(angle));
    const below = complex(1 + z.re, z.im);
    const size = below.re ** 2 + below.im ** 2;
    const overBelow = (value: Complex): Complex => scaled(times(value, complex(below.re, -below.im)), 1 / size);
    const g = scaled(overBelow(complex(1 - z.re, -z.im)), 2 / dt);
    const resolvent = solved(plus(one.map((row) => row.map((value) => times(value, g))), A, -1), B);
    return overBelow(scaled(multiplied(C, resolvent)[0][0], 2));
  });
  return Float64Array.from({ length }, (_, j) => spectrum.reduce((sum, value, f) => {
    const angle = (2 * Math.PI * ((f * j) % length)) / length;
    return sum + value.re * Math.cos(angle) - value.im * Math.sin(angle);
  }, 0) / length);
}
