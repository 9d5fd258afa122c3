import * as assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { output, ROOT } from './emulated';

const LIBRARY = path.join(ROOT, 'native/build/Release/liblongconv_cuda.so');
const OBJECTS = ['kernels', 'fft'].map((part) => path.join(ROOT, 'native/build/src/cuda/CMakeFiles/longconv_cuda.dir', part));
/** Kernels whose inner loops must stay in registers. */
const HOT = /gemm_kernel|gemm_float|exact_pass|toeplitz_kernel|kept_norm_kernel|depthwise_kernel/;
/** The same, as compiled for Hopper: for sm_80 some spill, 68 bytes at most. */
const HOT_ON_HOPPER = /one_pass|columnsI/;
const isThere = (command: string): boolean => spawnSync(command, ['--version']).status === 0;
const nvcc = isThere('nvcc');

/** What ptxas said of each kernel: bytes spilled, by architecture and function name. */
function spills(): Map<string, number> {
  const found = new Map<string, number>();
  const files = OBJECTS.flatMap((folder) => fs.readdirSync(folder).map((name) => path.join(folder, name)));
  for (const file of files.filter((name) => name.endsWith('.resources'))) {
    let kernel = '', architecture = '';
    for (const line of fs.readFileSync(file, 'utf8').split('\n')) {
      architecture = /Compiling entry function '.*' for '(\w+)'/.exec(line)?.[1] ?? architecture;
      kernel = /Function properties for (\S+)/.exec(line)?.[1] ?? kernel;
      const spilled = /(\d+) bytes spill stores, (\d+) bytes spill loads/.exec(line);
      if (spilled) found.set(`${architecture} ${kernel}`, Number(spilled[1]) + Number(spilled[2]));
    }
  }
  return found;
}

describe(`CUDA kernels as compiled (${nvcc ? 'nvcc is here' : 'no nvcc here: not compiled'})`, () => {
  it('devices gives a reason where there is no usable GPU, and a name where there is', async () => {
    const environment: Record<string, string> = nvcc ? { LONGCONV_CUDA_LIBRARY: LIBRARY } : {};
    const printed = await output(process.execPath, [path.join(ROOT, 'dist/cli.js'), 'devices'], environment);
    assert.match(printed, nvcc ? /^cuda {2}(not usable: (there is no NVIDIA driver|the NVIDIA driver|a block of|.* has compute capability)|NVIDIA )/m : /^cuda {2}not usable: this build has no CUDA kernels/m);
  });

  if (!nvcc) return;

  it('hot kernels keep everything in registers', () => {
    const hot = [...spills()].filter(([name]) => HOT.test(name) || (name.startsWith('sm_90a ') && HOT_ON_HOPPER.test(name)));
    assert.ok(hot.length >= 40, `only ${hot.length} hot kernels were compiled`);
    assert.deepEqual(hot.filter(([, bytes]) => bytes > 0), []);
  });

  it('the library exports its one function and links nothing of CUDA', async () => {
    const strong = (await output('nm', ['-D', '--defined-only', LIBRARY])).trim().split('\n').map((line) => line.split(' ')).filter(([, kind]) => kind === 'T').map(([, , name]) => name);
    assert.deepEqual(strong, ['lc_cuda_entry']);
    const needed = [...(await output('readelf', ['-d', LIBRARY])).matchAll(/NEEDED.*\[(.*)\]/g)].map(([, name]) => name);
    assert.ok(needed.length > 0);
    assert.deepEqual(needed.filter((name) => /cuda|cublas|nv/.test(name)), []);
  });

  if (isThere('cuobjdump')) {
    it('products and convolutions run on tensor cores', async () => {
      await output(path.join(ROOT, 'test/gpu/disassembly.sh'), [LIBRARY]);
    });
  }
});
