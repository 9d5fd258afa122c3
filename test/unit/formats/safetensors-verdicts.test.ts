import * as assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { parseHeader } from '../../../extension/core/formats/safetensors/header';
import { openSafetensors } from '../../../extension/core/formats/safetensors/read';
import type { Refuse } from '../../../extension/core/formats/safetensors/refusal';
import { SafetensorsError } from '../../../extension/core/formats/safetensors/refusal';
import { fixture, temporaryFolder } from '../support/files';

interface Verdict { readonly name: string; readonly accepted: boolean; readonly detail: string }

const folder = fixture('safetensors');

/** Lines of expected.tsv: file, OK or ERR, details; the details of one file hold a line break. */
function verdicts(): Verdict[] {
  const lines = fs.readFileSync(path.join(folder, 'expected.tsv'), 'utf8').trimEnd().split(/\n(?=\S+\.st\t)/);
  return lines.map((line) => {
    const [name, verdict, detail] = line.split('\t');
    return { name, accepted: verdict === 'OK', detail };
  });
}

/** What the official parser accepts and its own documentation forbids. */
const REFUSED_HERE = new Set(['e_dup_tensor_key.st', 'dup_tensor_key_last_wins_bad_first.st']);

async function refusal(file: string): Promise<SafetensorsError> {
  try {
    await (await openSafetensors(file)).close();
  } catch (error) {
    assert.ok(error instanceof SafetensorsError, String(error));
    return error;
  }
  return assert.fail(`${file} was accepted`);
}

describe('safetensors: verdicts of the official parser', () => {
  const all = verdicts();

  it('covers every vector', () => {
    const files = fs.readdirSync(folder).filter((name) => name.endsWith('.st'));
    assert.equal(files.length, 97);
    assert.deepEqual(all.map(({ name }) => name).sort(), files.sort());
  });

  for (const { name, accepted, detail } of all) {
    const file = path.join(folder, name);
    if (accepted && !REFUSED_HERE.has(name)) {
      it(`accepts ${name}`, async () => {
        const opened = await openSafetensors(file);
        const tensors = [...opened.tensors.values()]
          .map((tensor) => `${tensor.name}:${tensor.dtype}[${tensor.shape.join(', ')}]`).sort().join(',');
        const metadata = [...opened.metadata].map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`).join(', ');
        // The format's dimensions go up to 2^64, and those beside a 0 are shown rounded.
        const expected = detail.replaceAll('18446744073709551615', String(2 ** 64));
        assert.equal(`${tensors} meta=${opened.metadata.size ? `Some({${metadata}})` : 'None'}`, expected);
        for (const tensor of opened.tensors.values()) {
          assert.equal((await opened.readBytes(tensor.name)).length, tensor.byteLength);
        }
        await opened.close();
      });
    } else {
      it(`refuses ${name}`, async () => {
        const error = await refusal(file);
        assert.equal(error.rule, accepted ? 'DuplicateName' : detail.split(' ')[0]);
        assert.match(error.message, /^Cannot read .+ as safetensors: at byte \d+, [^\n]+\.$/);
        assert.ok(error.message.includes(file) && error.offset <= Math.max(8, fs.statSync(file).size));
        assert.ok(error.hint);
      });
    }
  }
});

describe('safetensors: damaged files', () => {
  const temporary = temporaryFolder();
  const refuse: Refuse = (rule, offset, reason) => {
    throw new SafetensorsError('mutant', rule, offset, reason);
  };
  /** Parses, or refuses with a sentence; anything else fails the test. Returns whether it was accepted. */
  const survives = (header: Uint8Array, fileSize: number): boolean => {
    try {
      parseHeader(header, fileSize, refuse);
      return true;
    } catch (error) {
      assert.ok(error instanceof SafetensorsError, `${Buffer.from(header).toString('latin1')}: ${String(error)}`);
      return false;
    }
  };
  const headers = verdicts().flatMap(({ name }) => {
    const bytes = fs.readFileSync(path.join(folder, name));
    const length = bytes.length >= 8 ? Number(bytes.readBigUInt64LE()) : Infinity;
    return 8 + length <= bytes.length ? [{ header: bytes.subarray(8, 8 + length), size: bytes.length }] : [];
  });

  it('survives every single-bit change of every header', () => {
    let accepted = 0;
    for (const { header, size } of headers) {
      for (let bit = 0; bit < header.length * 8; bit++) {
        const mutant = Uint8Array.from(header);
        mutant[bit >> 3] ^= 1 << (bit & 7);
        accepted += Number(survives(mutant, size));
      }
    }
    assert.ok(accepted > 0, 'changed names are still valid');
  });

  it('survives every replacement of a byte by JSON syntax, and every removed byte', () => {
    for (const { header, size } of headers) {
      for (let at = 0; at < header.length; at++) {
        for (const syntax of '{}[]",:\\0-.e n') {
          const mutant = Uint8Array.from(header);
          mutant[at] = syntax.charCodeAt(0);
          survives(mutant, size);
        }
        survives(Buffer.concat([header.subarray(0, at), header.subarray(at + 1)]), size - 1);
      }
    }
  });

  it('refuses every file that is cut short', async () => {
    for (const { name, accepted } of verdicts()) {
      const bytes = fs.readFileSync(path.join(folder, name));
      if (!accepted) {
        continue;
      }
      for (let length = 0; length < bytes.length; length += 7) {
        const error = await refusal(await temporary.write('short.safetensors', bytes.subarray(0, length)));
        assert.ok(['HeaderTooSmall', 'InvalidHeaderLength', 'MetadataIncompleteBuffer', 'DuplicateName'].includes(error.rule), error.message);
      }
    }
  });
});

describe('safetensors: hostile headers of 100 MB', () => {
  const size = 100_000_000;
  const refuse: Refuse = (rule, offset, reason) => {
    throw new SafetensorsError('hostile', rule, offset, reason);
  };
  const hostile = (start: string, repeated: string, end: string): Buffer => {
    const header = Buffer.alloc(size, repeated);
    header.write(start, 0);
    header.write(end, size - Buffer.byteLength(end));
    return header;
  };
  /** An object of entries `"00000000"VALUE,` with ascending keys, written in place: as strings they would take many seconds to make. */
  const numbered = (value: string): Buffer => {
    const entry = `"00000000"${value},`;
    const count = Math.floor((size - 100) / entry.length);
    const header = Buffer.alloc(size, ' ');
    header.fill(entry, 1, 1 + count * entry.length);
    for (let number = 0; number < count; number++) {
      for (let digit = 0, rest = number; rest > 0; digit++, rest = Math.floor(rest / 10)) {
        header[1 + number * entry.length + 8 - digit] = 48 + (rest % 10);
      }
    }
    header.write('{', 0);
    header.write('}', count * entry.length);
    return header;
  };

  const cases: readonly (readonly [what: string, header: () => Buffer, rule: string])[] = [
    ['open brackets', () => hostile('{"t":', '[', '}'), 'InvalidHeaderDeserialization'],
    ['nested unknown values', () => hostile('{"t":{"x":', '[', ']}}'), 'InvalidHeaderDeserialization'],
    ['one unfinished string', () => hostile('{"', 'a', 'a'), 'InvalidHeaderDeserialization'],
    ['escapes without end', () => hostile('{"', '\\u0041', '\\u00'), 'InvalidHeaderDeserialization'],
    ['one long number', () => hostile('{"t":{"shape":[', '1', ']}}'), 'InvalidHeaderDeserialization'],
    ['one long ignored number', () => hostile('{"t":{"x":', '1', '}}'), 'InvalidHeaderDeserialization'],
    ['dimensions without end', () => hostile('{ "t":{"shape":[', '1,', '1]}}'), 'TooManyDimensions'],
    ['ignored values without end', () => hostile('{"t":{"x":[1,', '1,', '1]}}'), 'InvalidHeaderDeserialization'],
    ['tensors without end', () => numbered(':["U8",[0],[0,0]]'), 'TooManyEntries'],
    ['NUL bytes', () => Buffer.alloc(size), 'InvalidHeaderDeserialization'],
    ['bytes that are not UTF-8', () => Buffer.alloc(size, 0xff), 'InvalidHeader'],
  ];
  for (const [what, header, rule] of cases) {
    it(`refuses ${what}`, () => {
      const bytes = header();
      assert.throws(() => parseHeader(bytes, bytes.length + 8, refuse), (error) => error instanceof SafetensorsError && error.rule === rule);
    });
  }

  it('refuses metadata without end', () => {
    const bytes = Buffer.concat([Buffer.from('{"__metadata__":'), numbered(':""'), Buffer.from('}')]);
    assert.throws(() => parseHeader(bytes, bytes.length + 8, refuse), (error) => error instanceof SafetensorsError && error.rule === 'TooManyEntries');
  });

  it('accepts a header that is only whitespace around an empty object', () => {
    const bytes = Buffer.alloc(size, ' ');
    bytes.write('{}', size / 2);
    assert.equal(parseHeader(bytes, size + 8, refuse).tensors.size, 0);
  });
});
