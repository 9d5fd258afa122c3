// The native addon: CMake through cmake-js into native/build, then copied to dist/native. CMake rebuilds only what changed.
import { existsSync } from 'node:fs';
import { copyFile, mkdir, rename, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { dist, root, runScript } from './repository.mjs';

export const builtAddon = path.join(root, 'native/build/Release/longconv.node');

export const builtCudaKernels = path.join(root, 'native/build/Release/liblongconv_cuda.so');

/** GPUs to compile the CUDA kernels for, as CMAKE_CUDA_ARCHITECTURES; fewer build faster. Default: see native/src/cuda/CMakeLists.txt. */
const architectures = process.env.LONGCONV_CUDA_ARCHITECTURES;

export async function buildNative() {
  runScript(path.join(root, 'node_modules/cmake-js/bin/cmake-js'), [
    'build', '--directory', path.join(root, 'native'), '--parallel', String(os.availableParallelism()), '--log-level', 'error',
    ...(architectures ? [`--CDLONGCONV_CUDA_ARCHITECTURES=${architectures}`] : []),
  ]);
  await install(builtAddon, path.join(dist, 'native/longconv.node'));
  // Built only where there is nvcc.
  if (existsSync(builtCudaKernels)) await install(builtCudaKernels, path.join(dist, 'native/liblongconv_cuda.so'));
  // Used by the command `bench` of a clone; outside the folders that are packaged.
  await install(path.join(root, 'native/build/Release/longconv-fftw'), path.join(dist, 'bench/longconv-fftw'));
}

/** Replaces a file by renaming: a running process keeps the one that it has mapped. */
async function install(from, to) {
  if (existsSync(to) && (await stat(to)).mtimeMs >= (await stat(from)).mtimeMs) {
    return;
  }
  await mkdir(path.dirname(to), { recursive: true });
  const temporary = `${to}.${process.pid}`;
  await copyFile(from, temporary);
  await rename(temporary, to);
}
