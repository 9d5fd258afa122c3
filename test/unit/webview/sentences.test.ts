import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { findings } from '../../../extension/core/validation/findings';
import type { MaskedQuality, Quality, SiteReport } from '../../../extension/core/validation/report';
import { verdictOf } from '../../../extension/core/validation/verdict';
import { SENTENCES, translated } from '../../../webview/ui/sentences';

const root = path.resolve(__dirname, '../../..');
const german = JSON.parse(readFileSync(path.join(root, 'l10n/bundle.l10n.de.json'), 'utf8')) as Record<string, string>;

const site = (maskedMs: number, leak: number, direction: SiteReport['direction']): SiteReport =>
  ({ site: 'layers.0.mixer', leak, direction, dense: { median_ms: 10 }, masked: { median_ms: maskedMs }, measuredSpeedup: 10 / maskedMs }) as SiteReport;
const quality = (perplexity: number, low: number, high: number): MaskedQuality => ({ perplexity, nllDifference: { mean: (low + high) / 2, low, high } }) as MaskedQuality;
const dense = { perplexity: 3.5 } as Quality;

/** Verdicts and findings of every kind. */
function produced(): string[] {
  const out = [verdictOf([], undefined).text];
  for (const sites of [[site(4, 0.01, 'causal')], [site(11, 0, 'bidirectional')]]) {
    for (const whole of [undefined, 1.5]) out.push(verdictOf(sites, undefined, whole).text);
    for (const [low, high] of [[-0.1, 0.1], [0.1, 0.3], [-0.3, -0.1]]) {
      for (const [masked, recausalised] of [[quality(3.6, low, high), quality(3.6, low, high)], [quality(3.4, low - 0.01, high - 0.01), quality(3.7, low, high)]]) {
        out.push(verdictOf(sites, { dense, masked, recausalised }).text, ...findings({ sites, task: 'next-token' as never, dense, masked, recausalised }));
      }
    }
  }
  return out;
}

/** Whether the code holds the sentence, with an expression in each of its places. */
function inCode(sentence: string, code: string): boolean {
  return new RegExp(sentence.split(/\{\d\}/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('\\$\\{[^`]*?\\}')).test(code);
}

describe('sentences of the kernel host in German', () => {
  it('are whole: no part of a verdict or a finding stays English, and no figure is lost', () => {
    const sentences = [...new Set(produced())];
    assert.ok(sentences.length >= 20, `${sentences.length}`);
    for (const english of sentences) {
      const text = translated(english, german);
      assert.doesNotMatch(text, /\b(the|of|is|run|times|worse|better|sites?)\b/i, english);
      assert.deepEqual([...text.matchAll(/\d+\.\d+/g)].map(String).sort(), [...english.matchAll(/\d+\.\d+/g)].map(String).sort());
    }
  });

  it('are sentences that the code says', () => {
    const code = ['core', 'kernel-host'].flatMap((folder) => readdirSync(path.join(root, 'extension', folder), { recursive: true, encoding: 'utf8' }).map((name) => path.join(root, 'extension', folder, name)))
      .filter((file) => file.endsWith('.ts')).map((file) => readFileSync(file, 'utf8')).join('\n');
    const used = new Set<string>();
    const texts = { ...german };
    for (const key of SENTENCES) Object.defineProperty(texts, key, { get: () => (used.add(key), german[key]) });
    for (const english of produced()) translated(english, texts);
    // Progress of a search is put together of two parts.
    const whole = (sentence: string): string => sentence.replace(/^(each site alone|all sites together): /, '');
    assert.deepEqual(SENTENCES.filter((sentence) => !used.has(sentence) && !inCode(sentence, code) && !inCode(whole(sentence), code)), []);
  });

  it('keep what stands in their places, and what is not known', () => {
    assert.equal(translated('validating: speed of layers.0.mixer', german), 'Validierung: Geschwindigkeit von layers.0.mixer');
    assert.equal(translated('comb-row FFT, 27% of the dense arithmetic', german), 'comb-row FFT, 27 % der dichten Rechenarbeit');
    assert.equal(translated('Something else happened.', german), 'Something else happened.');
    assert.equal(translated('opening the model', {}), 'opening the model');
  });
});
