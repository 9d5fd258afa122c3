// libFuzzer on every function of the addon: an input's bytes choose the function and its arguments, good and hostile ones.
// Arguments: longconv_fuzz_host.node, which is also preloaded, and a longconv.node that is built for it; then libFuzzer's flags. Needs --expose-gc.
import { createRequire } from 'node:module';
import { callOnce, loadAddon } from './addon-calls';

interface FuzzHost {
  fuzz(flags: readonly string[], call: (bytes: Uint8Array, done: (wrong?: string) => void) => void): void;
}

/** Two bytes for each number, 0 when there are no more. */
function numbersOf(bytes: Uint8Array): () => number {
  let at = 0;
  return () => ((bytes[at++] ?? 0) * 256 + (bytes[at++] ?? 0)) / 65_536;
}

function main([hostFile, addonFile, ...flags]: readonly string[]): void {
  const host = createRequire(__filename)(hostFile) as FuzzHost;
  const addon = loadAddon(addonFile);
  let calls = 0;
  host.fuzz(flags, (bytes, done) => {
    if (++calls % 50 === 0) (globalThis as unknown as { gc(): void }).gc();
    callOnce(addon, numbersOf(bytes)).then(() => done(), (error: unknown) => done(String(error)));
  });
}

main(process.argv.slice(2));
