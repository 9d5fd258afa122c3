import { kernelForm, kernelRows } from '../engine/kernel-form';
import type { ConvolutionSpec, SampleType } from '../engine/engine';
import type { Gpu, GpuConvolutionSpec } from '../engine/gpu';
import { filterOfRun, formOfRun } from '../plan/filter-of-run';
import type { SiteFilter } from '../plan/site-filter';
import { UserError } from '../errors';
import type { GpuTensor } from './tensor';

/** Operands in device memory; all but skip have the output's element type and shape [batch, H, length]. skip [H] is float32. */
export interface GpuSiteCall {
  readonly input: GpuTensor;
  readonly output: GpuTensor;
  readonly preGate?: GpuTensor;
  readonly postGate?: GpuTensor;
  readonly skip?: GpuTensor;
}

/** A site's convolution ready to run on the GPU: one prepared kernel for each channel range of its filter. */
export class GpuSiteConvolution {
  private constructor(
    private readonly gpu: Gpu,
    private readonly parts: readonly { readonly first: number; readonly convolution: number; readonly algorithm: string }[],
  ) {}

  /** `maxLength`: longest input that will be run, in samples (the exact length where the filter is bound to one); `element`: of its signals. Throws UserError for sizes that the GPU kernels do not have. */
  static async prepare(gpu: Gpu, filter: SiteFilter, maxLength: number, element: SampleType): Promise<GpuSiteConvolution> {
    const parts: { first: number; convolution: number; algorithm: string }[] = [];
    try {
      for (const part of filterOfRun(filter, maxLength).parts) {
        const form = kernelForm(undefined, part, maxLength), spec = specFor(form.spec, element);
        const { algorithm } = gpu.predictConvolution(spec);
        parts.push({ first: part.channels[0], convolution: await gpu.prepareConvolution(spec, kernelRows(form, part)), algorithm });
      }
    } catch (error) {
      for (const { convolution } of parts) gpu.freeConvolution({ convolution });
      if ((error as { code?: string }).code !== 'not-supported') throw error;
      throw new UserError(`The convolution of ${filter.site.id} cannot run on the GPU: ${(error as Error).message}`, 'Use --backend cpu.');
    }
    return new GpuSiteConvolution(gpu, parts);
  }

  /** Starts the convolution. */
  run({ input, output, preGate, postGate, skip }: GpuSiteCall): void {
    const [batch, totalChannels, length] = input.dims;
    for (const { first, convolution } of this.parts) {
      this.gpu.runConvolution({
        convolution, element: input.element, input: input.address, output: output.address, preGate: preGate?.address, postGate: postGate?.address,
        skip: skip?.address, batch, length, totalChannels, firstChannel: first,
      });
    }
  }

  /** Names of the kernels that run, without repetition. */
  get algorithms(): string {
    return [...new Set(this.parts.map(({ algorithm }) => algorithm))].join(' + ');
  }

  free(): void {
    for (const { convolution } of this.parts) this.gpu.freeConvolution({ convolution });
  }
}

/** Float32 signals are convolved in float32 accuracy. */
const specFor = (spec: ConvolutionSpec, element: SampleType): GpuConvolutionSpec => ({ ...spec, exact: element === 'f32' ? 1 : 0 });

/** Seconds of one run of the site's convolutions, by the GPU's cost model. */
export function predictedSeconds(gpu: Gpu, filter: SiteFilter, maxLength: number, element: SampleType): number {
  return filter.parts.reduce((sum, part) => sum + gpu.predictConvolution(specFor(kernelForm(undefined, formOfRun(filter.site, part, maxLength), maxLength).spec, element)).seconds, 0);
}
