// npm run build: the native addon, the bundles and the ONNX Runtime files, all into dist/. Parts by name: `build.mjs native bundle runtime`.
import { ensureDependencies, fail } from './repository.mjs';

const parts = process.argv.slice(2);
const wanted = (part) => parts.length === 0 || parts.includes(part);

async function timed(what, work) {
  const started = performance.now();
  await work();
  console.log(`${what}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

try {
  ensureDependencies();
  // Imported late: they need the packages that the line above may have installed.
  if (wanted('native')) await timed('native addon', (await import('./native.mjs')).buildNative);
  if (wanted('bundle')) await timed('bundles', (await import('./bundle.mjs')).bundleAll);
  if (wanted('runtime')) await timed('ONNX Runtime files', (await import('./onnx-runtime.mjs')).copyOnnxRuntime);
} catch (error) {
  fail(error);
}
