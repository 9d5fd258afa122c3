import { forwardReal } from '../../../extension/core/families/onnx/spectrum';
import { assertClose, noise } from '../graph/support/measure';

describe('the half spectrum of a real row', () => {
  for (const n of [1, 2, 3, 4, 8, 45, 64, 1024]) {
    it(`is the defining sum, n = ${n}`, () => {
      const row = noise(n, n);
      const expected: number[] = [];
      for (let f = 0; f <= n / 2; f++) {
        let re = 0;
        let im = 0;
        row.forEach((x, t) => {
          re += x * Math.cos((2 * Math.PI * f * t) / n);
          im -= x * Math.sin((2 * Math.PI * f * t) / n);
        });
        expected.push(re, im);
      }
      assertClose(forwardReal(row, n), expected, 1e-13);
    });
  }
});
