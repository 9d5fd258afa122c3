// npm run demo: from a fresh clone to the main job on the bundled model, through the command line. Needs Node, CMake and a C++ compiler.
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { dist, ensureDependencies, fail, megabytes, root, runScript, sample } from './repository.mjs';

const output = path.join(root, 'demo-output');
const shown = (file) => path.relative(root, file);

function surgeon(explanation, ...args) {
  console.log(`\n# ${explanation}\n$ longconv-surgeon ${args.map((arg) => (path.isAbsolute(arg) ? shown(arg) : arg)).join(' ')}`);
  runScript(path.join(dist, 'cli.js'), args);
}

function main() {
  ensureDependencies();
  runScript('extension/tools/build.mjs');
  rmSync(output, { recursive: true, force: true });
  mkdirSync(output);

  const model = path.join(sample, 'model.safetensors');
  const plan = path.join(output, 'partial.surgery.json');
  surgeon('The model: trained for this project on E. coli K-12 in the published HyenaDNA layout; not a published model.', 'inspect', model);
  surgeon('A plan: keep the first 24 of 1,026 taps, in every layer.', 'plan', model, '--partial', '24', '-o', plan);
  surgeon(
    'How much faster, how much worse? On sequence that the model was not trained on (32 windows of 1024 bases).',
    'validate', plan, '--data', path.join(sample, 'ecoli-table.fa'), '--json', path.join(output, 'report.json'),
  );
  surgeon('New weights: the masked filters as explicit tensors.', 'export', plan, '--format', 'safetensors', '--form', 'baked', '-o', path.join(output, 'baked.safetensors'));
  surgeon('The same model as ONNX, its convolutions as DFT nodes.', 'export', plan, '--format', 'onnx', '--lowering', 'dft', '-o', path.join(output, 'model.onnx'));

  console.log(`\nWritten to ${shown(output)}/:`);
  for (const name of readdirSync(output)) {
    console.log(`${megabytes(statSync(path.join(output, name)).size).padStart(12)}  ${shown(path.join(output, name))}`);
  }
}

try {
  main();
} catch (error) {
  fail(error);
}
