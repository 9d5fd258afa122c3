// npm run test:safety: the CPU backend under sanitizers, under a fuzzer and on other processors, the addon in Node under a fuzzer, and the CUDA kernels
// of the FFT convolution run by the processor. Ends with a summary; exit code 1 if anything was found. `--seconds N`: how long each program runs (default 10). `--seed N`: other random numbers. `--only NAME[,NAME]`: some steps.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { fail, root } from './repository.mjs';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '10' }, seed: { type: 'string', default: '1' }, only: { type: 'string' } } });
const seconds = Number(values.seconds);
const { seed } = values;

const found = (names) => names.find((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0);
const clang = found(['clang++', 'clang++-19', 'clang++-16', 'clang++-14']);
const arm = found(['aarch64-linux-gnu-g++']);
const emulator = found(['qemu-aarch64']);

/** `needs`: what is missing, where a step cannot run here. */
const steps = [
  { name: 'address', options: ['-DLONGCONV_SANITIZE=address,undefined'], run: [exercise(), fuzz()] },
  { name: 'thread', options: ['-DLONGCONV_SANITIZE=thread'], run: [exercise()] },
  {
    name: 'libfuzzer', needs: clang ? undefined : 'clang with its fuzzer runtime',
    options: [`-DCMAKE_CXX_COMPILER=${clang}`, '-DLONGCONV_SANITIZE=address', `-DCMAKE_JS_INC=${path.join(root, 'node_modules/node-api-headers/include')}`],
    targets: ['longconv_fuzz', 'longconv_addon', 'longconv_fuzz_host'], run: [fuzz(), fuzzAddon()],
  },
  {
    name: 'neon', needs: arm ? undefined : 'a cross compiler for 64-bit Arm',
    options: [`-DCMAKE_CXX_COMPILER=${arm}`, '-DCMAKE_SYSTEM_NAME=Linux', '-DCMAKE_SYSTEM_PROCESSOR=aarch64'],
    run: emulator ? [[emulator, '-L', '/usr/aarch64-linux-gnu', ...exercise()]] : [],
  },
  {
    name: 'cuda-fft', needs: found(['nvcc']) ? undefined : "nvcc's headers",
    source: 'native/test/emulated_fft', options: [], targets: ['emulated_fft_conv'], run: [['./emulated_fft_conv']],
  },
];

function exercise() {
  return ['./test/longconv_exercise', String(seconds), seed];
}
function fuzz() {
  return ['./test/longconv_fuzz', `-max_total_time=${seconds}`, `-seed=${seed}`];
}
/** Node itself is not checked, so AddressSanitizer is loaded before it, and the fuzzer before that: see native/test/addon/fuzz_host.cpp. */
function fuzzAddon() {
  const checker = clang && spawnSync(clang, [`-print-file-name=libclang_rt.asan-${{ x64: 'x86_64', arm64: 'aarch64' }[process.arch]}.so`], { encoding: 'utf8' }).stdout.trim();
  return [
    'env', `LD_PRELOAD=./test/longconv_fuzz_host.node ${checker}`, 'ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1:verify_asan_link_order=0',
    process.execPath, '--expose-gc', '--import', pathToFileURL(path.join(root, 'node_modules/tsx/dist/loader.mjs')).href, path.join(root, 'test/native/support/fuzz-addon.ts'),
    path.resolve(buildFolder('libfuzzer'), 'test/longconv_fuzz_host.node'), path.resolve(buildFolder('libfuzzer'), 'longconv.node'),
    // Sizes in arguments may ask for more memory than there is; and long inputs are as good as short ones.
    `-max_total_time=${seconds}`, `-seed=${seed}`, '-rss_limit_mb=0', '-detect_leaks=0', '-len_control=0', '-max_len=512',
  ];
}
function buildFolder(name) {
  return path.join(root, 'native/build/safety', name);
}

function command(program, args, cwd) {
  console.log(`$ ${[program, ...args].join(' ')}`);
  const { status, signal } = spawnSync(program, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] });
  return status === 0 ? undefined : `${path.basename(program)} ended with ${signal ?? `code ${status}`}`;
}

/** Undefined, or what went wrong. */
function runStep({ name, source = 'native', options, targets = ['longconv_exercise', 'longconv_fuzz'], run }) {
  const folder = buildFolder(name);
  mkdirSync(folder, { recursive: true });
  const failure = command('cmake', ['-S', path.join(root, source), '-B', folder, '-DCMAKE_BUILD_TYPE=Release', '-DLONGCONV_NATIVE_TESTS=ON', '-DLONGCONV_CUDA=OFF', ...options], root)
    ?? command('cmake', ['--build', folder, '--parallel', String(os.availableParallelism()), '--target', ...targets], root);
  return run.reduce((failed, [program, ...args]) => failed ?? command(program, args, folder), failure);
}

try {
  const only = values.only?.split(',');
  const rows = steps.filter(({ name }) => !only || only.includes(name)).map((step) => {
    console.log(`\n== ${step.name}`);
    const started = performance.now();
    const outcome = step.needs ? `not run: it needs ${step.needs}` : (runStep(step) ?? (step.run.length > 0 ? 'ok' : 'compiled; not run: it needs qemu-aarch64'));
    return { name: step.name, outcome, took: (performance.now() - started) / 1000 };
  });
  console.log('\n== summary');
  for (const { name, outcome, took } of rows) console.log(`  ${name.padEnd(12)} ${took.toFixed(1).padStart(6)} s   ${outcome}`);
  process.exitCode = rows.every(({ outcome }) => /^(ok|not run|compiled)/.test(outcome)) ? 0 : 1;
} catch (error) {
  fail(error);
}
