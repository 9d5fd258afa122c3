import assert from 'node:assert/strict';
import { bytes, duration, localTime, milliseconds, percent, secondsLeft, significant, speedup } from '../../../webview/ui/format';
import { latest } from '../../../webview/ui/latest';
import { matchingTensors } from '../../../webview/viewer/tensor-list';

describe('figures on the pages', () => {
  it('times are those of the user’s clock', () => {
    const noon = new Date(2026, 2, 1, 14, 5);
    assert.equal(localTime(noon.toISOString()), '2026-03-01 14:05');
  });

  it('are short and keep their meaning', () => {
    assert.deepEqual([bytes(1), bytes(999), bytes(1_763_000), bytes(12_345_678_901)], ['1 byte', '999 bytes', '1.76 MB', '12.3 GB']);
    assert.deepEqual([percent(0), percent(1), percent(0.000004), percent(0.2512), percent(NaN)], ['0%', '100%', '0.0004%', '25.1%', '–']);
    assert.deepEqual([significant(0), significant(436096, 6), significant(0.00001234), significant(3.75812, 5)], ['0', '436,096', '1.234e-5', '3.7581']);
    assert.deepEqual([milliseconds(1.8321), speedup(2), duration(59.6), duration(12)], ['1.83 ms', '2.00×', '1 min 00 s', '12 s']);
  });

  it('tell the time left from the pace, once there is one', () => {
    assert.equal(secondsLeft(0.01, 100), null);
    assert.equal(secondsLeft(0.25, 10), 30);
  });

  it('find tensors by all the words of a search', () => {
    const tensor = (name: string, shape: number[]): { name: string; dtype: string; shape: number[]; bytes: number } => ({ name, dtype: 'F32', shape, bytes: 4 });
    const tensors = [tensor('layers.0.mixer.weight', [128, 64]), tensor('layers.1.mixer.weight', [128, 128])];
    assert.deepEqual(matchingTensors(tensors, 'MIXER 128x128').map(found => found.name), ['layers.1.mixer.weight']);
    assert.equal(matchingTensors(tensors, '  ').length, 2);
  });
});

describe('requests while something is dragged', () => {
  it('go out one at a time and end with the newest', async () => {
    const asked: number[] = [];
    const answered: number[] = [];
    let release: (() => void)[] = [];
    const request = latest<number, number>(
      value => new Promise(resolve => { asked.push(value); release.push(() => resolve(value)); }),
      result => answered.push(result), error => assert.fail(String(error)));
    for (const value of [1, 2, 3, 4]) void request(value);
    for (let i = 0; i < 3; i++) {
      release.forEach(resolve => resolve());
      release = [];
      await new Promise(resolve => setImmediate(resolve));
    }
    assert.deepEqual([asked, answered], [[1, 4], [1, 4]]);
  });

  it('go on after one failed', async () => {
    const failures: unknown[] = [];
    const answered: number[] = [];
    const request = latest<number, number>(value => (value === 1 ? Promise.reject(new Error('no')) : Promise.resolve(value)), result => answered.push(result), error => failures.push(error));
    void request(1);
    void request(2);
    await new Promise(resolve => setImmediate(resolve));
    assert.deepEqual([failures.length, answered], [1, [2]]);
  });
});
