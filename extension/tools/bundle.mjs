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

export async function bundleAll() {
  await rm(path.join(dist, 'webview'), { recursive: true, force: true });
  await Promise.all([
    build({ ...node, entryPoints: ['extension/extension.ts'], outfile: 'dist/extension.js' }),
    build({ ...node, entryPoints: ['extension/kernel-host/main.ts'], outfile: 'dist/kernel-host.js' }),
    build({ ...node, entryPoints: ['extension/cli/main.ts'], outfile: 'dist/cli.js', banner: { js: '#!/usr/bin/env node' } }),
    build({
      ...common,
      entryPoints: { 'model-viewer': 'webview/model-viewer.ts', 'plan-editor': 'webview/plan-editor.ts' },
      outdir: 'dist/webview',
      minify: true,
      platform: 'browser',
      format: 'iife',
      // VS Code 1.100 is Chromium 134.
      target: 'chrome134',
      loader: { '.svg': 'dataurl' },
    }),
  ]);
  await chmod(path.join(dist, 'cli.js'), 0o755);
}
