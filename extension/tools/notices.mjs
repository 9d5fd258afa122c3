// Writes THIRD-PARTY-NOTICES: every package whose code ships, found in the bundles themselves, with its licence.
// With --check it only compares, and fails when the file is out of date; `npm test` does that.
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fail, root } from './repository.mjs';
import { bundledInputs } from './bundle.mjs';

/** Shipped otherwise than through a bundle: ONNX Runtime as files, the Node-API headers compiled into the addon. */
const BESIDE_THE_BUNDLES = ['onnxruntime-node', 'onnxruntime-common', 'node-addon-api', 'node-api-headers'];
/** Packages without a licence file of their own; all are from Microsoft under MIT as their package.json says. */
const MICROSOFT = /^(onnxruntime-|@microsoft\/)/;
const MIT = `MIT License

Copyright (c) Microsoft Corporation. All rights reserved.

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the "Software"), to
deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or
sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS
IN THE SOFTWARE.`;

async function shippedFolders() {
  const folders = new Set(BESIDE_THE_BUNDLES.map((name) => `node_modules/${name}`));
  for (const file of await bundledInputs()) {
    const folder = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0];
    if (folder) folders.add(folder);
  }
  return [...folders].sort();
}

function notice(folder) {
  const { name, version, license } = JSON.parse(readFileSync(path.join(root, folder, 'package.json'), 'utf8'));
  const file = readdirSync(path.join(root, folder)).find((entry) => /^licen[cs]e(\.|$)/i.test(entry));
  const text = file ? readFileSync(path.join(root, folder, file), 'utf8').trim() : MICROSOFT.test(name) && license === 'MIT' ? MIT : undefined;
  if (!text) {
    throw new Error(`${name} ${version} ships with the product and has no licence file: find its licence and name it in extension/tools/notices.mjs.`);
  }
  return `${'='.repeat(80)}\n${name} ${version} (${license})\n${'='.repeat(80)}\n\n${text.replace(/\r\n/g, '\n')}\n`;
}

try {
  const target = path.join(root, 'THIRD-PARTY-NOTICES');
  const head = 'Long-Conv Surgeon contains the following third-party software. ONNX Runtime\'s library itself contains further components, which\n'
    + 'Microsoft lists in the file ThirdPartyNotices.txt of the ONNX Runtime release of the same version.\n'
    + 'Packages that only build or test it are in no bundle and no package, and are not listed; one of them, axe-core, is under MPL-2.0.\n';
  const content = [head, ...(await shippedFolders()).map(notice)].join('\n');
  if (!process.argv.includes('--check')) {
    writeFileSync(target, content);
  } else if (!existsSync(target) || readFileSync(target, 'utf8') !== content) {
    throw new Error('THIRD-PARTY-NOTICES is out of date with what ships: run `npm run notices`.');
  }
} catch (error) {
  fail(error);
}
