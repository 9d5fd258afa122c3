import * as assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { UserError } from '../../../extension/core/errors';
import { fingerprint } from '../../../extension/core/formats/fingerprint';
import { openTensorFile } from '../../../extension/core/formats/open';
import { fixture, temporaryFolder } from '../support/files';

describe('opening a model file', () => {
  const temporary = temporaryFolder();
  const sample = fixture('samples/hyenadna-tiny-1k-ecoli/model.safetensors');

  const onnx = Buffer.concat([Buffer.from([0x08, 0x08, 0x12, 0x07]), Buffer.from('pytorch')]);
  const legacy = Buffer.from('80028a0a6cfc9c46f9206aa850192e', 'hex');
  const cases: readonly (readonly [name: string, content: string | Uint8Array, message: RegExp])[] = [
    ['empty.safetensors', '', /at byte 0, the file is empty/],
    ['image.safetensors', Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'), /looks like a PNG image/],
    ['notes.safetensors', 'Some words, and nothing else.\n', /looks like a text file/],
    ['genes.safetensors', '>chr1\nACGT\n', /looks like a FASTA sequence file/],
    ['page.safetensors', '<!DOCTYPE html><html>Access denied</html>', /looks like a web page/],
    ['config.json', '{"d_model": 128}', /looks like a JSON or text file/],
    ['archive.safetensors', Buffer.from('1f8b0800000000000003', 'hex'), /looks like a gzip archive/],
    ['pointer.safetensors', 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n', /Git LFS pointer: the model itself has not been downloaded/],
    ['pointer.onnx', 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n', /Git LFS pointer: the model itself has not been downloaded/],
    ['weights.ckpt', Buffer.from('PK\x03\x04archive/data.pkl'), /as a PyTorch checkpoint: at byte 20, the archive has no list of entries at its end: the file is truncated/],
    ['renamed.safetensors', Buffer.from('PK\x03\x04................archive/data.pkl'), /as a PyTorch checkpoint/],
    ['pytorch_model.bin', legacy, /as a PyTorch checkpoint: at byte 15, the file ends inside a pickle: it is truncated/],
    ['model.safetensors.index.json', '{"metadata": {}, "weight_map": {}}', /as the index of a model in several files: at byte 0, the index has no weight_map with tensors/],
    ['model.onnx', onnx, /as ONNX: at byte 0, the file holds no graph/],
    ['onnx.safetensors', onnx, /as ONNX: at byte 0, the file holds no graph/],
    ['noise.safetensors', Buffer.from('ff'.repeat(64), 'hex'), /at byte 0, the header's length is given as 18446744073709551615 bytes/],
  ];
  for (const [name, content, message] of cases) {
    it(`says what is wrong with ${name}`, async () => {
      const file = await temporary.write(name, content);
      await assert.rejects(openTensorFile(file), (error) => {
        assert.ok(error instanceof UserError && error.hint);
        assert.match(error.message, message);
        assert.ok(error.message.includes(file) && !error.message.includes('\n'));
        return true;
      });
    });
  }

  it('says that a file was cut short, wherever it was cut', async () => {
    const whole = fs.readFileSync(sample);
    for (const length of [9, 100, 6551, 6552, 100_000, whole.length - 1]) {
      const file = await temporary.write('cut.safetensors', whole.subarray(0, length));
      await assert.rejects(openTensorFile(file), (error) => error instanceof UserError && /it is truncated\.$/.test(error.message));
    }
  });

  it('says so for folders and for files that do not exist', async () => {
    await assert.rejects(openTensorFile(fixture('safetensors')), (error) => error instanceof UserError && /it is a folder/.test(error.message));
    await assert.rejects(openTensorFile(temporary.file('nothing')), (error) => error instanceof UserError && /it does not exist/.test(error.message));
  });

  it('opens safetensors whatever the extension, and where the header length looks like the start of another format', async () => {
    // 0x120308: the bytes 08 03 12 are how an ONNX model of IR version 3 starts.
    const header = Buffer.from('{}'.padEnd(0x120308));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    const file = await openTensorFile(await temporary.write('model.weights', Buffer.concat([length, header])));
    assert.equal(file.tensors.size, 0);
    await file.close();
  });
});

describe('fingerprint', () => {
  const temporary = temporaryFolder();

  it('is the SHA-256 of the file', async () => {
    assert.equal(await fingerprint(await temporary.write('abc', 'abc')), 'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    assert.equal(await fingerprint(await temporary.write('empty', '')), 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    assert.equal(
      await fingerprint(fixture('samples/hyenadna-tiny-1k-ecoli/model.safetensors')), 'sha256:4199e57257b08fae65ea2590c56759298beea86b8f5293e5b554f594e65d9095');
  });

  it('refuses a file that does not exist', async () => {
    await assert.rejects(fingerprint(temporary.file('nothing')), UserError);
  });
});
