import * as assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { Ajv } from 'ajv';
import type { MaskedQuality, Quality, SiteReport, ValidationReport } from '../../../extension/core/validation/report';
import { FINGERPRINT } from './support/plans';

type Schema = { readonly [key: string]: unknown };
const schemaOf = (name: string): Schema => JSON.parse(readFileSync(path.join(__dirname, '../../../schemas', `${name}.schema.json`), 'utf8')) as Schema;
const ajv = new Ajv({ allErrors: true, allowUnionTypes: true, strictTypes: false, strictRequired: false, formats: { 'date-time': true } });

const timing = { median_ms: 2, mad_ms: 0.1, samples: 9 };
const quality: Quality = { nll: 1.3, perplexity: 3.7, bitsPerToken: 1.9, top1: 0.4, tokens: 2048 };
const masked: MaskedQuality = { ...quality, kl: 0.01, nllDifference: { mean: 0.01, low: -0.01, high: 0.02 } };
const site: Required<SiteReport> = {
  site: 'layers.0.mixer', channels: 128, taps: 1026, direction: 'causal', filterError: 0.1, outputError: 0.1, recausalisedOutputError: null, leak: 0.1, keptBins: 0.5, keptTaps: 1,
  dense: timing, masked: timing, recausalised: timing, predictedSpeedup: 2, measuredSpeedup: 1.9, algorithms: { dense: 'right-angle FFT', masked: 'comb-row FFT' },
};
/** Every field that a report can have; the compiler checks it against the interface, the tests against the schema. */
const FULL: Required<ValidationReport> = {
  version: 1, tool: 'longconv-surgeon 0.1.0', created: '2026-01-01T00:00:00.000Z',
  model: { path: '/m.safetensors', family: 'hyenadna', fingerprint: FINGERPRINT, parameters: 436096, notes: ['a note'] },
  plan: { path: '/p.surgery.json', sites: 2 }, data: { path: '/d.fa', kind: 'fasta', records: 1 }, windows: 32, length: 1024, task: 'next-token', outputError: { masked: 0.1, recausalised: 0.2 },
  dense: quality, masked, recausalised: masked, sites: [site],
  wholeModel: { dense: timing, masked: timing, recausalised: timing, tokens: 1024 },
  device: { backend: 'cpu', name: 'a processor', instructionSet: 'avx2', threads: 2, note: 'no driver' }, findings: ['a finding'],
};

describe('schema of the validation report', () => {
  const schema = schemaOf('validation-report');
  const validate = ajv.compile<ValidationReport>(schema);
  const accepts = (value: unknown): boolean => validate(JSON.parse(JSON.stringify(value)));

  it('accepts a full report and one without data', () => {
    assert.ok(accepts(FULL), JSON.stringify(validate.errors));
    const withoutData = { ...FULL, dense: undefined, masked: undefined, recausalised: undefined, wholeModel: undefined };
    assert.ok(accepts({ ...withoutData, data: null, windows: 0, sites: [{ ...site, outputError: null }] }), JSON.stringify(validate.errors));
  });

  it('refuses missing, unknown and wrong fields', () => {
    for (const field of ['version', 'tool', 'model', 'sites', 'device', 'findings', 'windows', 'length', 'data']) {
      assert.equal(accepts({ ...FULL, [field]: undefined }), false, field);
    }
    assert.equal(accepts({ ...FULL, extra: 1 }), false);
    assert.equal(accepts({ ...FULL, dense: masked }), false, 'the dense quality has no comparison');
    assert.equal(accepts({ ...FULL, sites: [{ ...site, leak: 1.5 }] }), false);
    assert.equal(accepts({ ...FULL, sites: [{ ...site, leak: null }] }), false);
  });

  it('knows exactly the fields of the interfaces', () => {
    const definitions = schema.definitions as Record<string, Schema>;
    const same = (object: object, described: Schema): void =>
      assert.deepEqual(Object.keys(described.properties as object).sort(), Object.keys(object).sort());
    same(FULL, schema);
    same(site, definitions.site);
    same(masked, definitions.maskedQuality);
    same(quality, definitions.quality);
    same(timing, definitions.timing);
    for (const name of ['model', 'plan', 'wholeModel', 'device'] as const) same(FULL[name], (schema.properties as Record<string, Schema>)[name]);
  });
});

describe('schemas', () => {
  for (const name of ['surgery-plan', 'validation-report']) {
    it(`${name} is draft-07 and describes every field`, () => {
      const schema = schemaOf(name);
      assert.equal(schema.$schema, 'http://json-schema.org/draft-07/schema#');
      const visit = (node: unknown, where: string): void => {
        if (typeof node !== 'object' || node === null) return;
        const { properties, definitions, items } = node as { properties?: Record<string, Schema>; definitions?: Record<string, Schema>; items?: Schema };
        for (const [key, property] of Object.entries(properties ?? {})) {
          const referred = typeof property.$ref === 'string';
          const constrainedElsewhere = key === 'kind' && Object.keys(property).length === 0;
          assert.ok(referred || constrainedElsewhere || typeof property.description === 'string', `${where}.${key}`);
          visit(property, `${where}.${key}`);
        }
        for (const [key, definition] of Object.entries(definitions ?? {})) {
          assert.ok(typeof definition.description === 'string', key);
          visit(definition, key);
        }
        visit(items, `${where}[]`);
      };
      visit(schema, name);
    });
  }
});
