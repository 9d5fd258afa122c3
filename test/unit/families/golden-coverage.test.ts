import * as assert from 'node:assert/strict';
import * as fs from 'node:fs/promises';
import { Expected } from './golden';
import { fixture } from '../support/files';

/** Which tensors of which golden cases are compared by which test file, or why they are not. */
const ACCOUNTED: readonly (readonly [cases: RegExp, tensors: RegExp, where: string])[] = [
  [/./, /^(full|short)\.(input_ids|token_type_ids|input)$|^(full|short|long)\.u$/, 'what the model is given'],
  [/^ckconv-pmnist30$/, /^(pixels_u8_as_i32|permutation)$/, 'what full.input was made of'],
  [/^(stripedhyena|evo1)-a$/, /^long_fir_threshold$/, 'the setting that full.logits_long_fir_threshold was made with: golden-values'],
  [/^s4-dplr-a$/, /^long\.(C_after|l_kernel_after)$/, 'parameters that the original rewrites when it doubles its kernel; nothing is rewritten here, and the kernel that they make is compared'],

  [/^hyenadna-/, /^(shift005\.)?filters\./, 'hyenadna-filter'],
  [/^hyena-safari-/, /^filters\./, 'hyena'],
  [/^m2bert-/, /^filters\./, 'm2bert'],
  [/^h3/, /^filters\./, 'h3'],
  [/^(stripedhyena|evo1)-/, /^filters\./, 'stripedhyena'],
  [/^evo2-/, /^filters\./, 'evo2'],
  [/^longconv-/, /^filters\./, 'longconv'],
  [/^s4-classifier-/, /^filters\.|^(prenorm\.)?(full|short)\.(layer\d\.out|logits)$/, 's4-classifier'],
  [/^s4(d|block|-dplr)/, /^filters\./, 's4'],
  [/^sashimi-/, /^filters\.(?!short)/, 's4'],
  [/^sashimi-/, /^filters\.short\./, 'golden-values'],
  [/^multihyena-/, /^filters\./, 'multihyena'],
  [/^rtf-/, /^filters\./, 'rtf'],
  [/^ckconv-/, /^filters\..*\.(k|pairs)$/, 'ckconv'],
  [/^ckconv-/, /^filters\..*\.(l2|sum)$/, 'golden-values'],

  [/./, /^(full|short|long)\.conv\d(_shift|_residual)?\.(u|y|y_nobias)$/, 'golden-convolutions; of ckconv: ckconv'],
  [/^hyenadna-/, /^(shift005\.)?(full|short)\.(hidden\.\d|final_norm|logits)$/, 'golden-convolutions'],
  [/^hyena-safari-/, /^(full|short)\.(hidden\.\d|final_norm|logits)$/, 'hyena'],
  [/^h3/, /^(full|short)\.(hidden\.\d|final_norm|logits)$/, 'h3'],
  [/^(stripedhyena|evo1)-/, /^(full|short)\.(hidden\.\d|final_norm|logits)$/, 'stripedhyena'],
  [/^evo2-/, /^(full|short)\.(hidden\.\d|final_norm|logits)$/, 'evo2'],
  [/^m2bert-/, /^(full|short)\.(embed|hidden\.\d|mlm_transform|logits)$/, 'm2bert'],
  [/^longconv-(a|bidir-a)$/, /^(full|short)\.out$/, 'longconv'],
  [/^longconv-model-/, /^(full|short)\.(layer0\.out|logits)$/, 'longconv'],
  [/^s4(d|block|-dplr)/, /^(full|short|long)\.out$/, 's4'],
  [/^sashimi-/, /^(full|short)\.(stage\.|logits$)/, 's4'],
  [/^multihyena-/, /^(full|short)\.out$/, 'multihyena'],
  [/^ckconv-/, /^full\.(block\d\.out|logits)$|^labels$/, 'ckconv'],
  [/^(hyena|h3)/, /^(full|short)\.(embed|mixer0\.(in|out))$/, 'golden-values'],
  [/^m2bert-/, /^(full|short)\.mixer0\.(in|out)$/, 'golden-values'],
  [/^hyenadna-hf-a$/, /^(full|short)\.mean_pooled$/, 'golden-values'],
  [/^(stripedhyena|evo)/, /^(full|short)\.filter\d\.(in|out)$/, 'golden-values'],
  [/^(stripedhyena|evo1)-/, /^full\.logits_long_fir_threshold$/, 'golden-values'],
  [/^longconv-(a|bidir-a)$/, /^kernel_zero_fraction$/, 'golden-values'],
  [/^multihyena-/, /^(full|short)\.(v|x1|x2|heads_y)$/, 'golden-values'],
];

describe('golden cases', () => {
  it('have no tensor that no test accounts for', async () => {
    const used = new Set<number>();
    const forgotten: string[] = [];
    const cases = (await fs.readdir(fixture('golden'), { withFileTypes: true })).filter((entry) => entry.isDirectory()).map(({ name }) => name);
    assert.ok(cases.length >= 24);
    for (const name of cases) {
      for (const tensor of (await Expected.read(name)).names(/./)) {
        const rows = ACCOUNTED.flatMap(([of, tensors], i) => (of.test(name) && tensors.test(tensor) ? [i] : []));
        rows.forEach((row) => used.add(row));
        if (rows.length === 0) forgotten.push(`${name} ${tensor}`);
      }
    }
    assert.deepEqual(forgotten, []);
    assert.deepEqual(ACCOUNTED.filter((_, i) => !used.has(i)), []);
  });
});
