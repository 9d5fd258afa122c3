// dist/node_modules: the part of ONNX Runtime that runs on this platform, where dist/kernel-host.js finds it, in a clone and in the .vsix.
import { existsSync } from 'node:fs';
import { cp, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { dist, root } from './repository.mjs';

const packages = {
  'onnxruntime-node': ['dist', `bin/napi-v6/${process.platform}/${process.arch}`],
  'onnxruntime-common': ['dist/cjs'],
};

export async function copyOnnxRuntime() {
  for (const [name, parts] of Object.entries(packages)) {
    const from = path.join(root, 'node_modules', name);
    const to = path.join(dist, 'node_modules', name);
    // The manifest is copied last, so one of the same version stands for a complete copy.
    if (parts.every((part) => existsSync(path.join(to, part))) && (await version(to)) === (await version(from))) {
      continue;
    }
    await rm(to, { recursive: true, force: true });
    for (const part of [...parts, 'package.json']) {
      await cp(path.join(from, part), path.join(to, part), { recursive: true, filter: (file) => !/\.(map|d\.ts)$/.test(file) });
    }
  }
}

async function version(folder) {
  const file = path.join(folder, 'package.json');
  return existsSync(file) ? JSON.parse(await readFile(file, 'utf8')).version : undefined;
}
