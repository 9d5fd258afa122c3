import * as assert from 'node:assert/strict';
import * as fs from 'node:fs/promises';
import { UserError } from '../../../extension/core/errors';
import { writeAtomically, writeFileAtomically } from '../../../extension/core/io/atomic-file';
import { temporaryFolder } from '../support/files';

describe('atomic file writer', () => {
  const temporary = temporaryFolder();

  it('writes text and bytes, and replaces what was there', async () => {
    const target = temporary.file('plan.json');
    await writeFileAtomically(target, 'ä {}\n');
    assert.equal(await fs.readFile(target, 'utf8'), 'ä {}\n');
    await writeFileAtomically(target, Uint8Array.of(1, 2, 3));
    assert.deepEqual([...(await fs.readFile(target))], [1, 2, 3]);
    await fs.rm(target);
  });

  it('shows the old content until the new one is complete', async () => {
    const target = await temporary.write('report', 'old');
    await writeAtomically(target, async (sink) => {
      await sink.write(Buffer.from('new '));
      assert.equal(await fs.readFile(target, 'utf8'), 'old');
      await sink.write(Buffer.from('content'));
    });
    assert.equal(await fs.readFile(target, 'utf8'), 'new content');
    assert.deepEqual(await temporary.list(), ['report']);
    await fs.rm(target);
  });

  it('leaves nothing behind when the content fails or the signal aborts', async () => {
    const target = temporary.file('failed');
    await assert.rejects(writeAtomically(target, async (sink) => {
      await sink.write(Buffer.from('part'));
      throw new Error('no more');
    }), /no more/);
    const controller = new AbortController();
    await assert.rejects(writeAtomically(target, async (sink) => {
      await sink.write(Buffer.from('part'));
      controller.abort();
    }, controller.signal), { name: 'AbortError' });
    assert.deepEqual(await temporary.list(), []);
  });

  it('follows a symbolic link', async () => {
    const real = await temporary.write('real', 'old');
    await fs.symlink(real, temporary.file('link'));
    await writeFileAtomically(temporary.file('link'), 'new');
    assert.equal(await fs.readFile(real, 'utf8'), 'new');
    assert.ok((await fs.lstat(temporary.file('link'))).isSymbolicLink());
  });

  it('says why it cannot write', async () => {
    await assert.rejects(writeFileAtomically(temporary.file('no/folder'), ''), (error) => error instanceof UserError && /its folder does not exist/.test(error.message));
    await fs.mkdir(temporary.file('folder'));
    await assert.rejects(writeFileAtomically(temporary.file('folder'), ''), (error) => error instanceof UserError && /it is a folder/.test(error.message));
    assert.ok((await temporary.list()).every((name) => !name.endsWith('.tmp')));
  });
});
