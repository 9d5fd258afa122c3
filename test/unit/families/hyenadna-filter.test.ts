import * as assert from 'node:assert/strict';
import type { OptionOverrides } from '../../../extension/core/families/model';
import { openModel } from '../../../extension/core/families/registry';
import { openSafetensors } from '../../../extension/core/formats/safetensors/read';
import { copiedTensor, writeSafetensors } from '../../../extension/core/formats/safetensors/write';
import { fixture, temporaryFolder } from '../support/files';
import { REFERENCE_ENGINE, relativeError } from './siren-reference';

const SAMPLE = fixture('samples/hyenadna-tiny-1k-ecoli');

/** A float64 or float32 tensor of a file, as float64. */
async function expectedTensor(path: string, name: string): Promise<ArrayLike<number>> {
  const file = await openSafetensors(path);
  try {
    const bytes = await file.readBytes(name);
    return file.tensors.get(name)?.dtype === 'F64' ? new Float64Array(bytes.buffer) : new Float32Array(bytes.buffer);
  } finally {
    await file.close();
  }
}

async function wholeFilter(path: string, layer: number, taps: number, options?: OptionOverrides): Promise<Float32Array> {
  const model = await openModel(path, options);
  try {
    const site = model.sites[layer];
    return await model.filter(site.id, { channels: [0, site.channels], taps: [0, taps] }, REFERENCE_ENGINE);
  } finally {
    await model.close();
  }
}

describe('HyenaDNA filters', () => {
  const temporary = temporaryFolder();

  it('sample: equal PyTorch\'s filter of layer 0', async () => {
    const expected = await expectedTensor(`${SAMPLE}/reference.safetensors`, 'filter0');
    const error = relativeError(await wholeFilter(SAMPLE, 0, 1024), expected);
    assert.ok(error <= 1e-5, `relative error ${error}`);
  });

  const goldens: readonly (readonly [folder: string, file: string, tensor: string, layer: number, options?: OptionOverrides])[] = [
    ['hyenadna-hf-a', 'expected_f64', 'filters.0.k', 0],
    ['hyenadna-hf-a', 'expected', 'filters.1.k', 1],
    ['hyenadna-lightning-a', 'expected_f64', 'filters.0.k', 0],
    ['hyenadna-lightning-a', 'expected', 'filters.1.k', 1],
    ['hyenadna-lightning-a', 'expected', 'shift005.filters.0.k', 0, { shift: 0.05 }],
    ['hyenadna-lightning-a', 'expected', 'shift005.filters.1.k', 1, { shift: 0.05 }],
  ];
  for (const [folder, file, tensor, layer, options] of goldens) {
    it(`${folder}: equal the original code's ${tensor} in ${file}`, async () => {
      const expected = await expectedTensor(fixture(`golden/${folder}/${file}.safetensors`), tensor);
      const error = relativeError(await wholeFilter(fixture(`golden/${folder}`), layer, 66, options), expected);
      assert.ok(error <= 1e-5, `relative error ${error}`);
    });
  }

  it('the golden cases tell the two shifts apart', async () => {
    const expected = await expectedTensor(fixture('golden/hyenadna-lightning-a/expected_f64.safetensors'), 'filters.0.k');
    assert.ok(relativeError(await wholeFilter(fixture('golden/hyenadna-lightning-a'), 0, 66, { shift: 0.05 }), expected) > 1e-3);
  });

  it('ranges of channels and taps are parts of the whole filter', async () => {
    const whole = await wholeFilter(SAMPLE, 1, 1026);
    const model = await openModel(SAMPLE);
    for (const [channels, taps] of [[[0, 1], [0, 1026]], [[17, 40], [1000, 1026]], [[127, 128], [5, 6]], [[3, 3], [0, 10]], [[0, 2], [7, 7]]] as const) {
      const part = await model.filter('layers.1.mixer', { channels, taps }, REFERENCE_ENGINE);
      assert.equal(part.length, (channels[1] - channels[0]) * (taps[1] - taps[0]));
      part.forEach((value, i) => {
        const width = taps[1] - taps[0];
        assert.equal(value, whole[(channels[0] + Math.floor(i / width)) * 1026 + taps[0] + (i % width)]);
      });
    }
    await assert.rejects(model.filter('layers.1.mixer', { channels: [0, 129], taps: [0, 1] }, REFERENCE_ENGINE), RangeError);
    await assert.rejects(model.filter('layers.1.mixer', { channels: [0, 1], taps: [0, 1027] }, REFERENCE_ENGINE), RangeError);
    await assert.rejects(model.filter('layers.2.mixer', { channels: [0, 1], taps: [0, 1] }, REFERENCE_ENGINE), RangeError);
    await model.close();
  });

  it('evaluate long filters in pieces that join without seams', async () => {
    const file = await openSafetensors(`${SAMPLE}/model.safetensors`);
    const maxLength = (1 << 15) + 1000;
    const buffers = /pos_emb\.[zt]$/;
    const kept = [...file.tensors.keys()].filter((name) => !buffers.test(name)).map((name) => copiedTensor(file, name));
    await temporary.write('long/config.json', JSON.stringify({ layer: { l_max: maxLength } }));
    await writeSafetensors(temporary.file('long/model.safetensors'), kept);
    await file.close();
    const model = await openModel(temporary.file('long'));
    const across = await model.filter('layers.0.mixer', { channels: [60, 62], taps: [0, maxLength] }, REFERENCE_ENGINE);
    const seam = await model.filter('layers.0.mixer', { channels: [60, 62], taps: [32760, 32780] }, REFERENCE_ENGINE);
    for (let channel = 0; channel < 2; channel++) {
      assert.deepEqual(across.slice(channel * maxLength + 32760, channel * maxLength + 32780), seam.slice(channel * 20, (channel + 1) * 20));
    }
    await model.close();
  });

  it('rebuild missing buffers to the stored ones\' precision', async () => {
    const file = await openSafetensors(`${SAMPLE}/model.safetensors`);
    const kept = [...file.tensors.keys()].filter((name) => !/pos_emb\.[zt]$|deltas$/.test(name)).map((name) => copiedTensor(file, name));
    await temporary.write('rebuilt/config.json', JSON.stringify({ layer: { l_max: 1026 } }));
    await writeSafetensors(temporary.file('rebuilt/model.safetensors'), kept);
    await file.close();
    const model = await openModel(temporary.file('rebuilt'));
    assert.ok(model.notes.some((note) => note.includes('z, t, deltas')));
    await model.close();
    for (const layer of [0, 1]) {
      const error = relativeError(await wholeFilter(temporary.file('rebuilt'), layer, 1026), await wholeFilter(SAMPLE, layer, 1026));
      // The stored grids were rounded to float32 on the way, at every step of their making.
      assert.ok(error > 0 && error <= 1e-5, `relative error ${error}`);
    }
  });
});
