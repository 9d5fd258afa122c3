import type { Gpu, GpuElement, GpuView } from '../engine/gpu';
import { GpuTensor } from './tensor';

/** Fills `to` with a view of as many elements in the same order; converts the element type. */
export function copyInto(gpu: Gpu, to: GpuTensor, from: GpuView): void {
  gpu.elementwise({ operation: 'copy', a: from, y: to.view([...from.dims]) });
}

/** The tensor in this element type: itself (taken once more) or a copy. To be released. */
export function converted(gpu: Gpu, tensor: GpuTensor, element: GpuElement): GpuTensor {
  if (tensor.element === element) return tensor.part(0, tensor.dims);
  const copy = GpuTensor.allocate(gpu, element, tensor.dims);
  copyInto(gpu, copy, tensor.view());
  return copy;
}
