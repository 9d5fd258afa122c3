// npm run package: a .vsix for this platform, with its content list and size. Options: --output FILE, --no-build.
import { readFileSync, statSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
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
  const folder = await mkdtemp(path.join(os.tmpdir(), 'longconv-package-'));
  try {
    await copyCandidates(folder);
    const files = (await listFiles({ cwd: folder, packageManager: PackageManager.None })).sort();
    await createVSIX({ cwd: folder, packagePath: output, target, dependencies: false, allowMissingRepository: true, rewriteRelativeLinks: false });
    for (const file of files) {
      console.log(`${megabytes(statSync(path.join(folder, file)).size).padStart(12)}  ${file}`);
    }
    console.log(`\n${path.relative(process.cwd(), output) || output}: ${files.length} files, ${megabytes(statSync(output).size)}`);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/**
 * Copies the top-level entries that .vscodeignore allows anything of. vsce matches every file under its folder with every
 * pattern, which takes half a minute where the test editor is installed.
 */
async function copyCandidates(folder) {
  const allowed = readFileSync(path.join(root, '.vscodeignore'), 'utf8').split('\n').filter((line) => line.startsWith('!'));
  for (const entry of new Set(['.vscodeignore', ...allowed.map((line) => line.slice(1).split('/')[0])])) {
    await cp(path.join(root, entry), path.join(folder, entry), { recursive: true });
  }
}

main().catch(fail);
