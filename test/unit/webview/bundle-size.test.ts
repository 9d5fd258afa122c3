import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';

const dist = path.resolve(__dirname, '../../../dist');

describe('the built pages', () => {
  for (const page of ['model-viewer', 'plan-editor']) {
    it(`${page}: at most 500 kB, and no eval in it`, () => {
      const script = path.join(dist, 'webview', `${page}.js`);
      assert.ok(statSync(script).size <= 500_000, `${statSync(script).size} bytes`);
      // The one way in which bundled code makes code from text; the toolkit's guarded look for the global object is never reached.
      assert.doesNotMatch(readFileSync(script, 'utf8'), /\beval\(/);
    });
  }
});
