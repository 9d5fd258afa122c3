import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const root = path.join(__dirname, '..', '..', '..');
const bundleOf = (file: string): Record<string, string> => JSON.parse(readFileSync(path.join(root, file), 'utf8')) as Record<string, string>;
const sources = (folder: string): string[] => readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts')).map((name) => readFileSync(path.join(root, folder, name), 'utf8'));
const placeholders = (text: string): string[] => [...new Set(text.match(/\{\d+\}/g) ?? [])].sort();

/** The literal first arguments of t('...') in the pages and of vscode.l10n.t('...') in the extension. */
function keys(): Set<string> {
  const found = [
    ...sources('webview').flatMap((source) => [...source.matchAll(/(?<![\w.])t\('((?:[^'\\]|\\.)*)'/g)]),
    ...['extension/editors', 'extension/commands'].flatMap(sources).flatMap((source) => [...source.matchAll(/l10n\.t\('((?:[^'\\]|\\.)*)'/g)]),
  ];
  return new Set(found.map(([, key]) => key.replaceAll('\\\'', '\'')));
}

describe('texts in the user’s language', () => {
  const english = bundleOf('l10n/bundle.l10n.json');
  const bundles = readdirSync(path.join(root, 'l10n')).filter((name) => name !== 'bundle.l10n.json').map((name) => `l10n/${name}`);

  it('are all in the English bundle, which has no others', () => {
    const used = keys();
    assert.ok(used.size > 200, `${used.size}`);
    assert.deepEqual([...used].filter((key) => !(key in english)), []);
    assert.deepEqual(Object.keys(english).filter((key) => !used.has(key)), []);
  });

  it('are translated one by one, with the same values in them', () => {
    assert.ok(bundles.length > 0);
    for (const bundle of bundles) {
      const texts = bundleOf(bundle);
      assert.deepEqual(Object.keys(texts).sort(), Object.keys(english).sort(), bundle);
      for (const [key, text] of Object.entries(texts)) assert.deepEqual([text.trim() !== '', placeholders(text)], [true, placeholders(key)], `${bundle}: ${key}`);
    }
    assert.equal(bundleOf('l10n/bundle.l10n.de.json').Masks, 'Masken');
  });

  it('of the manifest too', () => {
    const manifest = readFileSync(path.join(root, 'package.json'), 'utf8');
    const used = [...manifest.matchAll(/"%([\w.-]+)%"/g)].map(([, key]) => key);
    assert.ok(used.length > 20);
    const files = readdirSync(root).filter((name) => /^package\.nls(\.\w+)?\.json$/.test(name));
    assert.ok(files.length > 1);
    for (const file of files) assert.deepEqual([...new Set(used)].filter((key) => !(key in bundleOf(file))), [], file);
  });
});
