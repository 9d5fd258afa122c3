import * as assert from 'node:assert/strict';
import fc from 'fast-check';
import { fieldName, JsonSyntaxError, parseJson, placeOf, rangeOf } from '../../../extension/core/plan/json-text';

describe('JSON with places', () => {
  it('reads every JSON value that JSON.parse reads', () => {
    fc.assert(fc.property(fc.json(), fc.constantFrom(undefined, 2, '\t'), (json, indent) => {
      const text = JSON.stringify(JSON.parse(json), undefined, indent);
      assert.equal(JSON.stringify(parseJson(text).value), JSON.stringify(JSON.parse(text)));
    }));
    assert.equal(parseJson('\ufeff [1]\n').end, 5);
    assert.deepEqual(Object.keys(parseJson('{"__proto__": 1}').value as object), ['__proto__']);
  });

  it('refuses what JSON.parse refuses', () => {
    fc.assert(fc.property(fc.json(), fc.nat(), fc.constantFrom('', ',', '"', '}', ']', '0', 'e', '\\', '\n', ' '), (json, seed, character) => {
      const at = seed % (json.length + 1);
      const text = json.slice(0, at) + character + json.slice(at + 1);
      const verdict = (parse: (text: string) => unknown): boolean => {
        try {
          parse(text);
          return true;
        } catch {
          return false;
        }
      };
      const repeated = verdict(JSON.parse) && !verdict(parseJson);
      if (repeated) assert.throws(() => parseJson(text), /appears twice|nested deeper/);
      else assert.equal(verdict(parseJson), verdict(JSON.parse), text);
    }), { numRuns: 2000 });
  });

  it('says where and why', () => {
    const cases: [string, RegExp, number][] = [
      ['', /the file is empty/, 0],
      ['{"a": 1,}', /a comma before } is not allowed/, 7],
      ['{"a": 1 "b": 2}', /expected a comma or }, but found "b"/, 8],
      ['{a: 1}', /expected a field name in double quotes, but found a: 1/, 1],
      ['[1, // two\n2]', /comments are not part of JSON/, 4],
      ['{"a": "x\n"}', /no closing quote/, 6],
      ['[1, tru]', /expected a value, but found tru/, 4],
      ['[1', /the line or file ends/, 2],
      ['{"a": 1} x', /expected the end of the file/, 9],
      ['{"a": 1, "a": 2}', /the field "a" appears twice/, 9],
      ['['.repeat(100), /nested deeper than 64/, 65],
    ];
    for (const [text, message, offset] of cases) {
      assert.throws(() => parseJson(text), (error) => error instanceof JsonSyntaxError && message.test(error.message) && error.offset === offset, text);
    }
  });

  it('finds a path, or what should hold it', () => {
    const text = '{\n  "sites": [{ "id": 7 }]\n}';
    const at = (...path: (string | number)[]): string => {
      const { offset, end } = rangeOf(parseJson(text), path);
      return text.slice(offset, end);
    };
    assert.equal(at('sites', 0, 'id'), '"id": 7');
    assert.equal(at('sites', 0, 'taps'), '{ "id": 7 }');
    assert.equal(at('sites', 4), '"sites": [{ "id": 7 }]');
    assert.equal(at(), text);
    assert.deepEqual(placeOf(text, text.indexOf('7')), { line: 2, column: 21 });
    assert.equal(fieldName(['sites', 0, 'masks', 1, 'partial', 'taps']), 'sites[0].masks[1].partial.taps');
  });
});
