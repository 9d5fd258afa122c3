// TypeScript -> dist/*.js by esbuild: one bundle for each process and each webview.
import { chmod, rm } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';
import { dist, root } from './repository.mjs';

const common = {
  absWorkingDir: root,
  bundle: true,
  sourcemap: 'linked',
  sourcesContent: false,
  legalComments: 'none',
  logLevel: 'warning',
};

/** Code that runs in Node: 20 is what the oldest supported VS Code has. */
const node = {
  ...common,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  // vscode is given by the extension host; onnxruntime-node loads a native library beside itself and is shipped as it is.
  external: ['vscode', 'onnxruntime-node'],
};

const bundles = [
  { ...node, entryPoints: ['extension/extension.ts'], outfile: 'dist/extension.js' },
  { ...node, entryPoints: ['extension/kernel-host/main.ts'], outfile: 'dist/kernel-host.js' },
  { ...node, entryPoints: ['extension/cli/main.ts'], outfile: 'dist/cli.js', banner: { js: '#!/usr/bin/env node' } },
  {
    ...common,
    entryPoints: { 'model-viewer': 'webview/model-viewer.ts', 'plan-editor': 'webview/plan-editor.ts' },
    outdir: 'dist/webview',
    minify: true,
    platform: 'browser',
    format: 'iife',
    // VS Code 1.100 is Chromium 134.
    target: 'chrome134',
  },
];

export async function bundleAll() {
  await rm(path.join(dist, 'webview'), { recursive: true, force: true });
  await Promise.all(bundles.map((options) => build(options)));
  await chmod(path.join(dist, 'cli.js'), 0o755);
}

/** Every source file that contributes code to a bundle, relative to the repository. */
export async function bundledInputs() {
  const results = await Promise.all(bundles.map((options) => build({ ...options, write: false, metafile: true })));
  const contributes = (output) => Object.entries(output.inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([file]) => file);
  return [...new Set(results.flatMap(({ metafile }) => Object.values(metafile.outputs).flatMap(contributes)))];
}
