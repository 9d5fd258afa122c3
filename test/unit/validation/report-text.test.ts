import assert from 'node:assert/strict';
import type { MaskedQuality, SiteReport, ValidationReport } from '../../../extension/core/validation/report';
import { reportText } from '../../../extension/core/validation/report-text';
import { verdictOf } from '../../../extension/core/validation/verdict';

const timing = (median_ms: number): SiteReport['dense'] => ({ median_ms, mad_ms: 0.1, samples: 7 });
const site = (name: string, dense: number, masked: number): SiteReport => ({
  site: name, channels: 8, taps: 64, filterError: 0.1, outputError: null, recausalisedOutputError: null, leak: 0, keptBins: 1, keptTaps: 0.5,
  dense: timing(dense), masked: timing(masked), recausalised: timing(masked), predictedSpeedup: 2, measuredSpeedup: dense / masked, algorithms: { dense: 'FFT', masked: 'Toeplitz' },
});
const quality = (perplexity: number, mean: number, low: number, high: number): MaskedQuality =>
  ({ nll: Math.log(perplexity), perplexity, bitsPerToken: 1, top1: 0.5, tokens: 100, kl: 0.01, nllDifference: { mean, low, high } });
const metrics = (masked: MaskedQuality, recausalised = masked): { dense: MaskedQuality; masked: MaskedQuality; recausalised: MaskedQuality } => ({ dense: quality(4, 0, 0, 0), masked, recausalised });

describe('the verdict of a validation', () => {
  it('is about time and quality together', () => {
    const fast = [site('a', 3, 1), site('b', 1, 1)];
    assert.deepEqual(verdictOf(fast, metrics(quality(4.1, 0.02, 0.01, 0.03)), 1.2).kind, 'costs');
    assert.deepEqual(verdictOf(fast, metrics(quality(4, 0.001, -0.01, 0.01)), 1.2).kind, 'pays');
    assert.deepEqual(verdictOf([site('a', 1, 1)], metrics(quality(4, 0.001, -0.01, 0.01)), 1).kind, 'useless');
    assert.deepEqual(verdictOf([], undefined, 1).kind, 'none');
    const { text } = verdictOf(fast, metrics(quality(4.1, 0.02, 0.01, 0.03)), 1.2);
    assert.equal(text, 'The masked convolutions run 2.00 times as fast (the whole model 1.20 times); perplexity is 2.0% worse (95% interval +1.0% to +3.0%).');
  });

  it('judges by the re-causalised model where a leak flatters the masked one', () => {
    const { kind, text } = verdictOf([site('a', 2, 1)], metrics(quality(3.9, -0.02, -0.03, -0.01), quality(4.2, 0.05, 0.04, 0.06)), 1.1);
    assert.equal(kind, 'costs');
    assert.match(text, /perplexity once re-causalised is 5\.1% worse/);
  });
});

describe('a report as text', () => {
  const report: ValidationReport = {
    version: 1, tool: 'longconv-surgeon 0', created: '2026-01-01T00:00:00.000Z', model: { path: '/m/a_b.safetensors', family: 'hyenadna', fingerprint: 'sha256:0', parameters: 1, notes: [] },
    plan: { path: '/m/a.surgery.json', sites: 2 }, data: null, windows: 0, length: 64, sites: [site('=cmd("x"),y', 2, 1), site('b', 1, 1)],
    device: { backend: 'cpu', name: 'a | b', instructionSet: 'portable', threads: 1 }, findings: ['A <b>finding</b>.'], verdict: { kind: 'costs', text: 'It is faster.' },
  };

  it('JSON gives the report back', () => assert.deepEqual(JSON.parse(reportText(report, 'json')), JSON.parse(JSON.stringify(report))));

  it('CSV has one line for each site, quoted, and no formulas', () => {
    const lines = reportText(report, 'csv').trimEnd().split('\r\n');
    assert.equal(lines.length, 3);
    assert.match(lines[1], /^"'=cmd\(""x""\),y",8,64,/);
    assert.equal(lines[0].split(',').length, lines[2].split(',').length);
  });

  it('Markdown escapes names from files', () => {
    const text = reportText(report, 'markdown');
    assert.match(text, /a\\_b\.safetensors/);
    assert.match(text, /a \\\| b/);
    assert.match(text, /\\<b\\>finding/);
    assert.match(text, /\n\| site \|/);
  });
});
