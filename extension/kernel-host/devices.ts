import type { Engine, SampleType } from '../core/engine/engine';
import type { Gpu } from '../core/engine/gpu';
import { UserError } from '../core/errors';
import type { DeviceInfo } from '../core/validation/report';
import { openGpu } from './gpu';

/** The device of a job; `gpu` where everything runs on the GPU. */
export interface ChosenDevice { readonly info: DeviceInfo; readonly gpu?: { readonly gpu: Gpu; readonly element: SampleType } }

/** The device a job runs on. `cuda` where it cannot be used is refused, never replaced silently; `auto` says what it chose and why. */
export function chooseDevice(engine: Engine, backend: 'auto' | 'cpu' | 'cuda', threads?: number, element: SampleType = 'f16'): ChosenDevice {
  const { cpu, cuda } = engine.devices();
  if (threads !== undefined && threads > 4 * cpu.threads) {
    throw new UserError(`${threads} threads were asked for on a machine that runs ${cpu.threads}.`, `Ask for at most ${4 * cpu.threads}.`);
  }
  if (backend === 'cuda' || (backend === 'auto' && cuda.usable)) {
    const gpu = openGpu();
    return { info: { backend: 'cuda', name: cuda.name!, instructionSet: element, threads: threads ?? cpu.threads }, gpu: { gpu, element } };
  }
  return {
    info: {
      backend: 'cpu', name: cpu.name, instructionSet: cpu.instructionSets[cpu.instructionSets.length - 1], threads: threads ?? cpu.threads,
      note: backend === 'auto' ? `CUDA not used: ${cuda.reason}` : undefined,
    },
  };
}
