// npm run pictures: the pictures of README and docs, from the screenshots that the browser tests took last (out/screenshots).
import { copyFileSync, mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { fail, root } from './repository.mjs';

/** Largest file, in bytes: pictures travel with every clone and every package. */
const MOST = 200_000;
const PICTURES = {
  'viewer-overview-light': 'model-overview', 'viewer-filters-light': 'model-viewer', 'plan-masks-dark': 'plan-masks', 'plan-validation-light': 'plan-validation',
  'plan-sweep-dark': 'plan-sweep', 'search': 'plan-search', 'plan-export-light': 'plan-export', 'mask-partial': 'mask-partial', 'mask-comb': 'mask-comb',
  'mask-lowpass-leak': 'mask-lowpass-leak',
};

try {
  const folder = path.join(root, 'docs/images');
  mkdirSync(folder, { recursive: true });
  for (const [screenshot, picture] of Object.entries(PICTURES)) {
    const from = path.join(root, 'out/screenshots', `${screenshot}.png`);
    const { size } = statSync(from);
    if (size > MOST) throw new Error(`${from} has ${size} bytes; a picture may have ${MOST}.`);
    copyFileSync(from, path.join(folder, `${picture}.png`));
    console.log(`${String(size).padStart(8)}  docs/images/${picture}.png`);
  }
} catch (error) {
  fail(error);
}
