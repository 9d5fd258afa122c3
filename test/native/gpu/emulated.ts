import { execFile, spawnSync } from 'node:child_process';
import * as path from 'node:path';

export const ROOT = path.resolve(__dirname, '../../..');
const BUILD = path.join(ROOT, 'native/build-emulated');
/** liblongconv_cuda with its kernels run by the processor: see native/test/emulated_gpu. */
export const EMULATED_LIBRARY = path.join(BUILD, 'liblongconv_cuda_emulated.so');
export const CUDA_CHECK = path.join(BUILD, 'cuda_check/cuda_check');

/** Builds the library and the check program; quick when they are there. Test files that run side by side wait for each other. */
export function buildEmulatedGpu(): void {
  const args = ['-D', `BUILD=${BUILD}`, '-P', path.join(ROOT, 'native/test/emulated_gpu/build.cmake')];
  const { status, stdout, stderr } = spawnSync('cmake', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`cmake ${args.join(' ')} failed:\n${stdout}\n${stderr}`);
}

/** Runs a program and gives what it printed; rejects with that when it fails. */
export function output(command: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(command, args, { env: { ...process.env, ...environment }, maxBuffer: 1 << 28 }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${command} failed: ${stdout}\n${stderr}`));
      else resolve(stdout);
    });
  });
}
