// dist/node_modules: the part of ONNX Runtime that runs on this platform, where dist/kernel-host.js finds it, in a clone and in the .vsix.
import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { dist, root } from './repository.mjs';

const packages = {
  'onnxruntime-node': ['package.json', 'dist', `bin/napi-v6/${process.platform}/${process.arch}`],
  'onnxruntime-common': ['package.json', 'dist/cjs'],
};

export async function copyOnnxRuntime() {
  for (const [name, parts] of Object.entries(packages)) {
    const from = path.join(root, 'node_modules', name);
    const to = path.join(dist, 'node_modules', name);
    const { version } = JSON.parse(await readFile(path.join(from, 'package.json'), 'utf8'));
    const marker = path.join(to, '.copied');
    const signature = `${version} ${process.platform}-${process.arch}`;
    if (existsSync(marker) && (await readFile(marker, 'utf8')) === signature) {
      continue;
    }
    await rm(to, { recursive: true, force: true });
    await mkdir(to, { recursive: true });
    for (const part of parts) {
      await cp(path.join(from, part), path.join(to, part), { recursive: true, filter: (file) => !/\.(map|d\.ts)$/.test(file) });
    }
    await writeFile(marker, signature);
  }
}
