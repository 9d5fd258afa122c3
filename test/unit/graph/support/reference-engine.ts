import type {
  ConvolutionCall, ConvolutionSpec, Engine, PreparedConvolution, SirenFilterRequest,
} from '../../../../extension/core/engine/engine';
import { lowRankFilter } from '../../support/low-rank-reference';
import { modalFilter } from '../../support/modal-reference';
import { placedRows } from '../../support/place-rows';

/**
 * The engine's contract in plain float64 sums: slow, and written from the equations in engine.ts alone, so that graph and export tests
 * do not depend on the native kernels.
 */
export const referenceEngine: Engine = {
  devices: () => ({ cpu: { name: 'reference', instructionSets: ['portable'], threads: 1 }, cuda: { usable: false, reason: 'no kernels' } }),
  prepare: async (spec, filter) => new DirectConvolution(spec, Float64Array.from(filter)),
  // Direct sums cost a product for each output and tap, whatever the mode.
  predict: ({ channels, filterLength }, batch, length) => ({
    algorithm: 'direct sum', seconds: 1e-9 * batch * channels * length * filterLength, preparedBytes: 0, executedFraction: 1,
  }),
  maskFilter: () => { throw new Error('The reference engine masks nothing.'); },
  spectrum: () => { throw new Error('The reference engine has no spectra.'); },
  sirenFilter: async (request) => placedRows(sirenFilter(request), request),
  modalFilter: async (request) => modalFilter(request),
  lowRankFilter: async (request) => lowRankFilter(request),
};

class DirectConvolution implements PreparedConvolution {
  readonly prediction = { algorithm: 'direct sum', preparedBytes: 0, executedFraction: 1 };

  constructor(readonly spec: ConvolutionSpec, private readonly filter: Float64Array) {
    if (filter.length !== spec.channels * spec.filterLength) throw new Error('The filter has another size than its spec says.');
  }

  async run(call: ConvolutionCall): Promise<number> {
    const begin = performance.now();
    const { batch, length, totalChannels = this.spec.channels, firstChannel = 0 } = call;
    if (length > this.spec.maxLength) throw new Error(`length ${length} > maxLength ${this.spec.maxLength}`);
    const row = new Float64Array(length);
    for (let b = 0; b < batch; b++) {
      for (let c = 0; c < this.spec.channels; c++) {
        const channel = firstChannel + c;
        const at = (b * totalChannels + channel) * length;
        for (let t = 0; t < length; t++) row[t] = call.input[at + t] * (call.preGate ? call.preGate[at + t] : 1);
        for (let t = 0; t < length; t++) {
          const y = this.convolved(c, row, t) + (call.skip ? call.skip[channel] * row[t] : 0);
          call.output[at + t] = y * (call.postGate ? call.postGate[at + t] : 1);
        }
      }
    }
    return (performance.now() - begin) / 1e3;
  }

  free(): void {
    this.filter.fill(NaN);
  }

  private convolved(channel: number, u: Float64Array, t: number): number {
    const { mode, filterLength } = this.spec;
    const k = this.filter.subarray(channel * filterLength, (channel + 1) * filterLength);
    let sum = 0;
    if (mode === 'causal') {
      for (let j = 0; j <= Math.min(t, filterLength - 1); j++) sum += k[j] * u[t - j];
    } else if (mode === 'grid') {
      for (let s = 0; s < u.length; s++) sum += k[(t - s + filterLength) % filterLength] * u[s];
    } else {
      for (let j = 0; j < filterLength; j++) sum += k[j] * u[(t - j + u.length) % u.length];
    }
    return sum;
  }
}

function sirenFilter({ z, t, features, layers, freq, output, window }: SirenFilterRequest): Float32Array {
  const width = freq.length;
  const channels = output.length / width;
  const positions = t.length;
  const k = new Float32Array(channels * positions);
  for (let i = 0; i < positions; i++) {
    let x = Array.from(z.subarray(i * features, (i + 1) * features));
    for (const { weight, bias } of layers) {
      const from = x;
      x = Array.from(bias, (b, o) => Math.sin(freq[o] * from.reduce((sum, value, n) => sum + value * weight[o * from.length + n], b)));
    }
    for (let c = 0; c < channels; c++) {
      const raw = x.reduce((sum, value, n) => sum + value * output[c * width + n], 0);
      k[c * positions + i] = raw * (window ? Math.exp(-t[i] * Math.abs(window.deltas[c])) + window.shift : 1);
    }
  }
  return k;
}
