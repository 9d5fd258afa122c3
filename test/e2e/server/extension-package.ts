import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { repositoryRoot } from './installation';

let vsix: string | undefined;

/** The .vsix of what is in dist/ now, made once for each run of the tests. */
export function packagedExtension(): string {
  if (!vsix) {
    const file = path.join(repositoryRoot, 'out/extension.vsix');
    execFileSync(process.execPath, [path.join(repositoryRoot, 'extension/tools/package.mjs'), '--no-build', '--output', file], { stdio: ['ignore', 'ignore', 'inherit'] });
    vsix = file;
  }
  return vsix;
}
