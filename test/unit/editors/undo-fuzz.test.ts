import assert from 'node:assert/strict';
import { formatPlan, readPlan } from '../../../extension/core/plan/read';
import { mulberry32 } from '../../../extension/core/validation/statistics';
import { changedPlan } from '../../../extension/editors/plan-changes';
import { textChange } from '../../../extension/editors/text-change';
import { randomEdit, SITES } from '../support/random-plan-edits';

/** A plan as somebody wrote it by hand: its first machine edit must be undone to exactly this. */
const BY_HAND = `{ "version": 1,
   "model": {"path": "model.safetensors", "family": "hyenadna", "fingerprint": "sha256:${'a'.repeat(64)}",
     "options": { "shift": 0.05 } },
   "sites": [ ] }`;

describe('1,000 random edits of a plan', () => {
  for (const [name, seed, original] of [['of a hand-written plan', 1, BY_HAND], ['with Windows line ends', 2, BY_HAND.replace(/\n/g, '\r\n')]] as const) {
    it(`${name}: each one text edit; undone and redone byte for byte`, () => {
      const random = mulberry32(seed);
      const undo: { start: number; removed: string; added: string }[] = [];
      let text: string = original;
      for (let i = 0; i < 1000; i++) {
        const after = formatPlan(changedPlan(readPlan(text, 'p.surgery.json'), randomEdit(random), SITES));
        const change = textChange(text, original.includes('\r') ? after.replace(/\n/g, '\r\n') : after);
        if (!change) continue;
        undo.push({ start: change.start, removed: text.slice(change.start, change.end), added: change.text });
        text = text.slice(0, change.start) + change.text + text.slice(change.end);
      }
      const end = text;
      assert.ok(undo.length > 900, `${undo.length} of the edits changed something`);
      for (const { start, removed, added } of [...undo].reverse()) text = text.slice(0, start) + removed + text.slice(start + added.length);
      assert.equal(text, original);
      for (const { start, removed, added } of undo) text = text.slice(0, start) + added + text.slice(start + removed.length);
      assert.equal(text, end);
    });
  }
});
