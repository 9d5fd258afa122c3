import assert from 'node:assert/strict';
import { inputTensors } from '../../../extension/core/graph/inputs';
import type { ModelGraph } from '../../../extension/core/graph/model-graph';
import { int32Ids, int64Ids } from '../../../extension/core/graph/token-ids';

const tokens = { input: { name: 'ids', kind: 'tokens' } } as ModelGraph;

describe('token ids as inputs', () => {
  const ids = Int32Array.of(0, 1, 7, 2 ** 31 - 1, 65536);

  it('are int64 as BigInt makes them, and int32 again', () => {
    const wide = int64Ids(Int32Array.of(...ids, -1, -(2 ** 31)));
    assert.deepEqual(wide, BigInt64Array.from([...ids, -1, -(2 ** 31)], BigInt));
    assert.deepEqual([...int32Ids(wide)], [...ids, -1, -(2 ** 31)]);
    assert.deepEqual([...int32Ids(wide.subarray(2))], [...ids, -1, -(2 ** 31)].slice(2));
  });

  it('are given in the type that is wanted', () => {
    for (const input of [ids, int64Ids(ids)]) {
      assert.deepEqual(inputTensors(tokens, input, 1, 5).get('ids'), { type: 'int64', data: int64Ids(ids), dims: [1, 5] });
      assert.deepEqual(inputTensors(tokens, input, 5, 1, undefined, 'int32').get('ids'), { type: 'int32', data: ids, dims: [5, 1] });
    }
  });

  it('that are negative or too large are refused', () => {
    assert.throws(() => inputTensors(tokens, Int32Array.of(3, -1), 1, 2), /Token 1 of the input is -1, but token ids start at 0/);
    assert.throws(() => inputTensors(tokens, BigInt64Array.of(3n, -5n), 1, 2), /Token 1 of the input is -5/);
    assert.throws(() => inputTensors(tokens, BigInt64Array.of(2n ** 31n), 1, 1), /Token 0 of the input is 2147483648; no vocabulary is that large/);
    assert.throws(() => inputTensors(tokens, BigInt64Array.of(3n, -(2n ** 40n)), 1, 2), /Token 1 of the input/);
  });
});
