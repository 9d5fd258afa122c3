import type { ConvolutionSpec, PreparedConvolution } from '../../extension/core/engine/engine';
import { noise } from '../unit/graph/support/measure';
import { assertAccurate } from './support/accuracy';
import { expectedOutput } from './support/convolution-reference';
import { engine, runOnce } from './support/engine';
import { signals } from './support/signals';
import { assertRefused, BAD_SIZES, detach, wrong } from './support/refusals';

const spec: ConvolutionSpec = { channels: 3, mode: 'causal', filterLength: 70, maxLength: 100 };
const filter = noise(3 * 70, 1);
const BATCH = 2;
const COUNT = BATCH * 3 * 100;

/** A call that works, fresh arrays each time. */
const goodCall = () => ({ ...signals(BATCH, 3, 100, true), output: new Float32Array(COUNT) });

describe('hostile arguments of run', () => {
  let prepared: PreparedConvolution;
  before(async () => { prepared = await engine.prepare(spec, filter); });
  after(() => prepared.free());

  const refuses = (what: string, change: () => object): void => {
    it(what, async () => {
      await assertRefused(what, () => prepared.run(wrong({ ...goodCall(), ...change() })));
      const call = signals(BATCH, 3, 100, true);
      assertAccurate(await runOnce(prepared, call), expectedOutput(spec, filter, call), 'the same convolution afterwards');
    });
  };
  for (const size of BAD_SIZES) {
    refuses(`batch ${String(size)}`, () => ({ batch: size }));
    refuses(`length ${String(size)}`, () => ({ length: size }));
    // What is optional may be absent; 0 threads are as many as there are.
    if (size !== undefined && size !== null) {
      refuses(`totalChannels ${String(size)}`, () => ({ totalChannels: size }));
      if (size !== 0) refuses(`threads ${String(size)}`, () => ({ threads: size }));
      if (size !== 0) refuses(`firstChannel ${String(size)}`, () => ({ firstChannel: size, totalChannels: 3 }));
    }
  }
  refuses('sizes whose product overflows to the array length', () => ({ batch: 2 ** 40, totalChannels: 2 ** 40 + 3, length: 100 }));
  refuses('a length above maxLength', () => ({ batch: 1, length: 101, input: noise(303, 1), output: new Float32Array(303), preGate: undefined, postGate: undefined }));
  refuses('fewer channels than the convolution has', () => ({ totalChannels: 2 }));
  refuses('channels beyond the last', () => ({ batch: 1, totalChannels: 6, firstChannel: 4, skip: undefined }));
  for (const name of ['input', 'output', 'preGate', 'postGate']) {
    refuses(`${name} too short`, () => ({ [name]: new Float32Array(COUNT - 1) }));
    refuses(`${name} too long`, () => ({ [name]: new Float32Array(COUNT + 1) }));
    refuses(`${name} empty`, () => ({ [name]: new Float32Array(0) }));
    refuses(`${name} detached`, () => ({ [name]: detach(new Float32Array(COUNT)) }));
    refuses(`${name} a Float64Array`, () => ({ [name]: new Float64Array(COUNT) }));
    refuses(`${name} an Int32Array`, () => ({ [name]: new Int32Array(COUNT) }));
    refuses(`${name} a plain array`, () => ({ [name]: new Array(COUNT).fill(0) }));
    refuses(`${name} a string`, () => ({ [name]: 'x'.repeat(COUNT) }));
  }
  refuses('no input', () => ({ input: undefined }));
  refuses('no output', () => ({ output: undefined }));
  refuses('skip too short', () => ({ skip: new Float32Array(2) }));
  refuses('skip too long', () => ({ skip: new Float32Array(4) }));
  refuses('skip detached', () => ({ skip: detach(new Float32Array(3)) }));

  refuses('output over the input', () => {
    const input = noise(COUNT, 1);
    return { input, output: input };
  });
  refuses('output over the end of the input', () => {
    const buffer = new Float32Array(2 * COUNT - 1);
    return { input: buffer.subarray(0, COUNT), output: buffer.subarray(COUNT - 1) };
  });
  for (const name of ['preGate', 'postGate'] as const) {
    refuses(`output over ${name}`, () => {
      const gate = noise(COUNT, 1);
      return { [name]: gate, output: gate };
    });
  }
  refuses('output over the skip term', () => {
    const output = new Float32Array(COUNT);
    return { output, skip: output.subarray(10, 13) };
  });

  it('no call at all', () => assertRefused('no call', () => prepared.run(wrong(undefined))));

  it('parts of one buffer that do not overlap are fine', async () => {
    const call = signals(BATCH, 3, 100, false);
    const buffer = new Float32Array(2 * COUNT);
    buffer.set(call.input);
    const output = buffer.subarray(COUNT);
    await prepared.run({ ...call, input: buffer.subarray(0, COUNT), output });
    assertAccurate(output, expectedOutput(spec, filter, call), 'output beside input');
  });

  it('a circular convolution takes its own length only', async () => {
    const circular = await engine.prepare({ ...spec, mode: 'circular' }, filter);
    await assertRefused('a shorter input', () => circular.run({ ...signals(1, 3, 99, false), output: new Float32Array(297) }));
    circular.free();
  });
});
