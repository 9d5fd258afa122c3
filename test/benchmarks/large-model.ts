import { writeSafetensorsInPlaces } from '../../extension/core/formats/safetensors/write';

/** A single LongConv layer whose filters are decaying noise, stored tap by tap: [1, channels, taps] float32, written row by row. */
export async function writeLongConvLayer(file: string, channels: number, taps: number): Promise<void> {
  await writeSafetensorsInPlaces(file, [
    { name: 'kernel.kernel', dtype: 'F32', shape: [1, channels, taps] },
    { name: 'D', dtype: 'F32', shape: [1, channels] },
    { name: 'output_linear.0.weight', dtype: 'F32', shape: [2 * channels, channels] },
    { name: 'output_linear.0.bias', dtype: 'F32', shape: [2 * channels] },
  ], async (place) => {
    let state = 1;
    const row = new Float32Array(taps);
    for (let channel = 0; channel < channels; channel++) {
      const decay = Math.exp(-6 / (taps * (0.05 + channel / channels)));
      let size = 1;
      for (let j = 0; j < taps; j++) {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        row[j] = size * (state / 2 ** 31 - 1);
        size *= decay;
      }
      await place('kernel.kernel', 4 * channel * taps, new Uint8Array(row.buffer));
    }
  });
}
