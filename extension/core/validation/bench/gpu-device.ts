import type { SampleArray } from '../../engine/engine';
import type { Gpu, GpuElement } from '../../engine/gpu';
import { copyInto } from '../../gpu/copy';
import { GpuTensor } from '../../gpu/tensor';
import { compareSamples } from '../speed';
import type { BenchDevice, Signals } from './device';
import type { BenchRequest, BenchShape } from './request';
import { emptySamples } from './samples';

/** Kernels on the GPU; signals stay there and are the same in every run, times are the device's. float32 signals: in float32 accuracy. */
export async function gpuDevice(gpu: Gpu, { dtype }: BenchRequest, shape: BenchShape, signals: Signals): Promise<BenchDevice> {
  const dims = [shape.batch, shape.channels, shape.length];
  const held: GpuTensor[] = [];
  const allocate = (element: GpuElement): GpuTensor => {
    const tensor = GpuTensor.allocate(gpu, element, dims);
    held.push(tensor);
    return tensor;
  };
  const upload = async (samples: SampleArray | undefined): Promise<GpuTensor | undefined> => {
    if (!samples) return undefined;
    const tensor = allocate(dtype);
    await gpu.upload(tensor, samples);
    return tensor;
  };
  const milliseconds = async (start: () => void): Promise<number> => {
    const first = gpu.makeMark();
    start();
    return 1e3 * (await gpu.secondsBetween({ first, second: gpu.makeMark() }));
  };
  const close = (): void => held.forEach((tensor) => tensor.release());
  try {
    const [input, pre, post] = [await upload(signals.input), await upload(signals.pre), await upload(signals.post)];
    const output = allocate(dtype);
    return {
      rates: async () => {
        const [from, to] = [GpuTensor.allocate(gpu, 'f32', dims), GpuTensor.allocate(gpu, 'f32', dims)];
        const [{ median_ms }] = await compareSamples([() => milliseconds(() => copyInto(gpu, to, from.view()))]);
        for (const tensor of [from, to]) tensor.release();
        return { bytesPerSecond: (8 * input!.count) / (median_ms / 1000), flopsPerSecond: Infinity };
      },
      prepare: async ({ spec, rows }) => {
        const wanted = { ...spec, exact: dtype === 'f32' ? 1 : 0 } as const;
        const { algorithm } = gpu.predictConvolution(wanted);
        const convolution = await gpu.prepareConvolution(wanted, rows);
        const call = {
          convolution, element: dtype, input: input!.address, output: output.address, preGate: pre?.address, postGate: post?.address,
          batch: shape.batch, length: shape.length, totalChannels: shape.channels, firstChannel: 0,
        };
        return {
          algorithm,
          run: () => milliseconds(() => gpu.runConvolution(call)),
          output: async () => {
            const samples = emptySamples(output.count, dtype);
            await gpu.download(output, samples);
            return samples;
          },
          free: () => gpu.freeConvolution({ convolution }),
        };
      },
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}
