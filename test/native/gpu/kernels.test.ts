import * as assert from 'node:assert/strict';
import { buildEmulatedGpu, CUDA_CHECK, EMULATED_LIBRARY, output } from './emulated';

describe('CUDA kernels on an emulated GPU', function () {
  this.timeout(300_000);
  before(buildEmulatedGpu);

  it('agree with float64 in every operation, layout and element type', async () => {
    const printed = await output(CUDA_CHECK, [EMULATED_LIBRARY, '--quick']);
    const [, checks, failed] = /(\d+) checks, (\d+) failed/.exec(printed)!;
    assert.equal(failed, '0', printed);
    assert.ok(Number(checks) >= 80, printed);
  });
});
