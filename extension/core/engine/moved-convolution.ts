import type { PreparedConvolution } from './engine';
import type { SiteCall } from './site-convolution';

/**
 * Runs a filter with lags on both sides of 0 through a causal kernel that has lag 0 at tap `shift` (see KernelForm). Only this range of
 * channels is extended and copied back, so that memory beside the call's own is that of the range. Resolves with the seconds of all that.
 */
export async function runMoved(
  prepared: PreparedConvolution, { shift, wrap }: { readonly shift: number; readonly wrap: boolean }, first: number, totalChannels: number, call: SiteCall,
): Promise<number> {
  const begin = performance.now();
  const { batch, length, input, output, preGate, postGate, skip, threads } = call;
  const { channels } = prepared.spec;
  const before = wrap ? shift : 0;
  const extended = before + length + shift;
  const padded = new Float32Array(batch * channels * extended);
  const rowsOf = (visit: (at: number, row: number, channel: number) => void): void => {
    for (let b = 0; b < batch; b++) {
      for (let c = 0; c < channels; c++) visit((b * totalChannels + first + c) * length, (b * channels + c) * extended, first + c);
    }
  };
  rowsOf((at, row) => {
    const u = padded.subarray(row + before, row + before + length);
    u.set(input.subarray(at, at + length));
    if (preGate) for (let t = 0; t < length; t++) u[t] *= preGate[at + t];
    if (wrap) extendAround(padded.subarray(row, row + extended), before, length);
  });
  const convolved = new Float32Array(padded.length);
  const called = performance.now();
  const seconds = await prepared.run({ input: padded, output: convolved, batch, length: extended, threads });
  const back = performance.now();
  rowsOf((at, row, channel) => {
    const u = padded.subarray(row + before, row + before + length);
    const y = convolved.subarray(row + before + shift, row + before + shift + length);
    const weight = skip ? skip[channel] : 0;
    for (let t = 0; t < length; t++) output[at + t] = (y[t] + weight * u[t]) * (postGate ? postGate[at + t] : 1);
  });
  return seconds + (called - begin + performance.now() - back) / 1e3;
}

/** Fills what lies before and after the middle of a row with the samples that a ring has there. */
function extendAround(row: Float32Array, before: number, length: number): void {
  for (let i = 0; i < row.length; i++) {
    const t = (((i - before) % length) + length) % length;
    row[i] = row[before + t];
  }
}
