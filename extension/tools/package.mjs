// npm run package: a .vsix for this platform, with its content list and size. Options: --output FILE, --no-build.
import { statSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ensureDependencies, fail, manifest, megabytes, root, runScript } from './repository.mjs';

/** VS Code's name of the platform that the native addon and ONNX Runtime were built for. */
const target = `${process.platform}-${process.arch}`;

async function main() {
  const { values } = parseArgs({ options: { 'output': { type: 'string' }, 'no-build': { type: 'boolean' } } });
  const output = path.resolve(root, values.output ?? `${manifest.name}-${manifest.version}-${target}.vsix`);
  ensureDependencies();
  if (!values['no-build']) {
    runScript('extension/tools/build.mjs');
  }
  const { createVSIX, listFiles, PackageManager } = await import('@vscode/vsce');
  await mkdir(path.dirname(output), { recursive: true });
  const files = (await listFiles({ cwd: root, packageManager: PackageManager.None })).sort();
  await createVSIX({ cwd: root, packagePath: output, target, dependencies: false, allowMissingRepository: true, rewriteRelativeLinks: false });
  for (const file of files) {
    console.log(`${megabytes(statSync(path.join(root, file)).size).padStart(12)}  ${file}`);
  }
  console.log(`\n${path.relative(process.cwd(), output) || output}: ${files.length} files, ${megabytes(statSync(output).size)}`);
}

main().catch(fail);
