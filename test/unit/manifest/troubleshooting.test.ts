import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const root = path.join(__dirname, '..', '..', '..');
const read = (folder: string): string => readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.(ts|cpp|h)$/.test(name)).map((name) => readFileSync(path.join(root, folder, name), 'utf8')).join('\n');

describe('docs/troubleshooting.md', () => {
  it('explains messages that the product says', () => {
    // Where the product puts a value in, the page has "…", a line's number N or the signal SIGKILL: compared is what stands between them.
    const product = ['extension', 'webview', 'native/src'].map(read).join('\n').replace(/\\'/g, '\'');
    const rows = readFileSync(path.join(root, 'docs/troubleshooting.md'), 'utf8').split('\n').filter((line) => line.startsWith('| `'));
    assert.ok(rows.length > 15);
    const unknown = rows.flatMap((row) => [...row.split(' | ')[0].matchAll(/`([^`]+)`/g)]).flatMap(([, message]) => message.split(/…|SIGKILL|\bN\b/))
      .map((part) => part.trim()).filter((part) => part.length > 3 && !product.includes(part));
    assert.deepEqual(unknown, []);
  });
});
