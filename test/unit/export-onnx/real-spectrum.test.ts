import { realSpectrum } from '../../../extension/core/export/onnx/real-spectrum';
import { assertClose, noise } from '../graph/support/measure';

describe('realSpectrum', () => {
  for (const n of [1, 2, 4, 8, 64, 1024]) {
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
      assertClose(realSpectrum(row), expected, 1e-13);
    });
  }
});
