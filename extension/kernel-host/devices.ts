import type { Engine } from '../core/engine/engine';
import { UserError } from '../core/errors';
import type { DeviceInfo } from '../core/validation/report';

/** The device a job runs on. `cuda` where it cannot be used is refused, never replaced silently; `auto` says what it chose and why. */
export function chooseDevice(engine: Engine, backend: 'auto' | 'cpu' | 'cuda', threads?: number): DeviceInfo {
  const { cpu, cuda } = engine.devices();
  if (backend === 'cuda') throw new UserError(`CUDA cannot be used here: ${cuda.reason}`, 'Use --backend cpu or auto.');
  if (threads !== undefined && threads > 4 * cpu.threads) {
    throw new UserError(`${threads} threads were asked for on a machine that runs ${cpu.threads}.`, `Ask for at most ${4 * cpu.threads}.`);
  }
  return {
    backend: 'cpu', name: cpu.name, instructionSet: cpu.instructionSets[cpu.instructionSets.length - 1], threads: threads ?? cpu.threads,
    note: backend === 'auto' ? `CUDA not used: ${cuda.reason}` : undefined,
  };
}
