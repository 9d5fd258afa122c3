import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.resolve(__dirname, '../../..');
const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');
const json = (file: string): Record<string, unknown> => JSON.parse(read(file)) as Record<string, unknown>;

interface Manifest {
  readonly activationEvents: readonly string[];
  readonly contributes: {
    readonly commands: readonly { readonly command: string }[];
    readonly walkthroughs: readonly { readonly steps: readonly { readonly media: { readonly image: string }; readonly description: string }[] }[];
    readonly languageModelTools: readonly { readonly name: string; readonly inputSchema: { readonly type: string } }[];
  };
}

function sources(folder: string): string[] {
  return readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts')).map((file) => read(path.join(folder, file)));
}

describe('package.json and its texts', () => {
  const manifest = json('package.json') as unknown as Manifest;

  it('starts the extension only with its editors, commands and tools: opening a folder costs nothing', () => assert.deepEqual(manifest.activationEvents, []));

  for (const language of ['', '.de']) {
    it(`has every text of the manifest${language && ` (${language.slice(1)})`}, and no other`, () => {
      const used = new Set([...read('package.json').matchAll(/"%([\w.]+)%"/g)].map(([, key]) => key));
      const texts = json(`package.nls${language}.json`);
      assert.deepEqual(Object.keys(texts).sort(), [...used].sort());
      assert.ok(Object.values(texts).every((text) => typeof text === 'string' && text.length > 0));
    });

    it(`has every text of the code${language && ` (${language.slice(1)})`}, and no other`, () => {
      const messages = (text: string, call: RegExp): string[] => [...text.matchAll(call)].map(([, message]) => message);
      const used = new Set([
        ...[...sources('extension/editors'), ...sources('extension/commands')].flatMap((text) => messages(text, /vscode\.l10n\.t\('((?:[^'\\]|\\.)*)'/g)),
        ...sources('webview').flatMap((text) => messages(text, /(?<![\w.])(?:t|sentence)\('((?:[^'\\]|\\.)*)'/g)),
      ]);
      assert.ok(used.size > 200, `${used.size} texts`);
      const bundle = json(`l10n/bundle.l10n${language}.json`);
      assert.deepEqual(Object.keys(bundle).sort(), [...used].sort());
      // What stands in the place of {0} must find its place in every language.
      for (const [message, text] of Object.entries(bundle)) assert.deepEqual([...String(text).matchAll(/\{\d\}/g)].map(String).sort(), [...message.matchAll(/\{\d\}/g)].map(String).sort());
    });
  }

  it('has a walkthrough whose pictures exist and whose commands are contributed', () => {
    const commands = new Set(manifest.contributes.commands.map(({ command }) => command));
    const texts = json('package.nls.json');
    for (const { media, description } of manifest.contributes.walkthroughs.flatMap(({ steps }) => steps)) {
      assert.ok(existsSync(path.join(ROOT, media.image)), media.image);
      const linked = [...String(texts[description.slice(1, -1)]).matchAll(/\(command:([\w.]+)\)/g)].map(([, command]) => command);
      assert.ok(linked.length > 0 && linked.every((command) => commands.has(command)), linked.join());
    }
  });

  it('has chat tools that are registered under the same names', () => {
    const code = read('extension/editors/language-model-tools.ts');
    for (const { name, inputSchema } of manifest.contributes.languageModelTools) {
      assert.ok(code.includes(`'${name}'`), name);
      assert.equal(inputSchema.type, 'object');
    }
  });

  it('has pictures of the documents, each below 200 kB', () => {
    const named = ['README.md', 'docs/guide.md', 'docs/masks.md'].flatMap((file) => [...read(file).matchAll(/!\[[^\]]+\]\(([^)]+)\)/g)].map(([, picture]) => path.join(path.dirname(file), picture)));
    assert.ok(named.length >= 8);
    for (const picture of named) assert.ok(statSync(path.join(ROOT, picture)).size < 200_000, picture);
  });
});
