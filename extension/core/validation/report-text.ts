import type { MaskedQuality, Quality, SiteReport, ValidationReport } from './report';

/** Ways in which a report leaves the editor. */
export type ReportFormat = 'json' | 'csv' | 'markdown';
export const REPORT_EXTENSIONS: Record<ReportFormat, string> = { json: 'json', csv: 'csv', markdown: 'md' };

export function reportText(report: ValidationReport, format: ReportFormat): string {
  switch (format) {
    case 'json': return `${JSON.stringify(report, null, 2)}\n`;
    case 'csv': return csv(report);
    case 'markdown': return markdown(report);
  }
}

const SITE_COLUMNS: readonly (readonly [name: string, value: (site: SiteReport) => string | number | null])[] = [
  ['site', (s) => s.site], ['channels', (s) => s.channels], ['taps', (s) => s.taps], ['kept_bins', (s) => s.keptBins], ['kept_taps', (s) => s.keptTaps],
  ['filter_error', (s) => s.filterError], ['output_error', (s) => s.outputError], ['recausalised_output_error', (s) => s.recausalisedOutputError], ['leak', (s) => s.leak],
  ['dense_ms', (s) => s.dense.median_ms], ['dense_mad_ms', (s) => s.dense.mad_ms], ['masked_ms', (s) => s.masked.median_ms], ['masked_mad_ms', (s) => s.masked.mad_ms],
  ['recausalised_ms', (s) => s.recausalised.median_ms], ['predicted_speedup', (s) => s.predictedSpeedup], ['measured_speedup', (s) => s.measuredSpeedup],
  ['dense_kernel', (s) => s.algorithms.dense], ['masked_kernel', (s) => s.algorithms.masked],
];

/** One line for each site (RFC 4180). The model's own figures, one each, stand in the same columns of every line. */
function csv({ sites, dense, masked, recausalised, length, windows }: ValidationReport): string {
  const model: readonly (readonly [string, string | number | null])[] = [
    ['length', length], ['windows', windows], ['dense_perplexity', dense?.perplexity ?? null], ['masked_perplexity', masked?.perplexity ?? null],
    ['recausalised_perplexity', recausalised?.perplexity ?? null],
  ];
  const header = [...SITE_COLUMNS.map(([name]) => name), ...model.map(([name]) => name)];
  const rows = sites.map((site) => [...SITE_COLUMNS.map(([, value]) => value(site)), ...model.map(([, value]) => value)]);
  return [header, ...rows].map((row) => row.map(csvCell).join(',')).join('\r\n').concat('\r\n');
}

function csvCell(value: string | number | null): string {
  const text = value === null ? '' : String(value);
  // A formula in a spreadsheet begins like this; names come from files that others made.
  const safe = typeof value === 'string' && /^[=+\-@\t]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function markdown(report: ValidationReport): string {
  const { model, plan, data, dense, masked, recausalised, sites, device, wholeModel } = report;
  const lines = [
    `# Validation of ${escape(baseName(plan.path))}`, '', report.verdict.text, '',
    `- Model: ${escape(baseName(model.path))} (${model.family}, ${model.parameters.toLocaleString('en-US')} parameters, \`${model.fingerprint}\`)`,
    `- Data: ${data ? `${escape(baseName(data.path))}, ${report.windows} windows of ${report.length} tokens` : `none; speed at ${report.length} tokens`}`,
    `- Device: ${escape(device.name)}, ${device.backend}, ${device.instructionSet}, ${device.threads} threads`,
    `- ${report.tool}, ${report.created}`,
  ];
  if (wholeModel) lines.push(`- Whole model: dense ${ms(wholeModel.dense.median_ms)}, masked ${ms(wholeModel.masked.median_ms)} for ${wholeModel.tokens} tokens`);
  if (dense && masked && recausalised) {
    const row = (name: string, q: Quality, m?: MaskedQuality): string[] => [
      name, q.perplexity.toFixed(4), q.bitsPerToken.toFixed(4), percent(q.top1),
      m ? `${signed(m.nllDifference.mean)} [${signed(m.nllDifference.low)}, ${signed(m.nllDifference.high)}]` : '', m ? m.kl.toExponential(2) : '',
    ];
    lines.push('', '## Model', '', ...mdTable(['', 'perplexity', 'bits/token', 'top-1', 'NLL change [95%]', 'KL to dense'],
      [row('dense', dense), row('masked', masked, masked), row('re-causalised', recausalised, recausalised)]));
  }
  if (sites.length > 0) {
    lines.push('', '## Sites', '', ...mdTable(
      ['site', 'dense', 'masked', 'predicted', 'measured', 'filter error', 'output error', 'leak', 'kernel'],
      sites.map((s) => [
        s.site, ms(s.dense.median_ms), ms(s.masked.median_ms), `${s.predictedSpeedup.toFixed(2)}×`, `${s.measuredSpeedup.toFixed(2)}×`,
        s.filterError.toExponential(2), s.outputError === null ? '' : s.outputError.toExponential(2), percent(s.leak), s.algorithms.masked,
      ])));
  }
  if (report.findings.length > 0) lines.push('', '## Findings', '', ...report.findings.map((finding) => `- ${escape(finding)}`));
  return `${lines.join('\n')}\n`;
}

function mdTable(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.map(escape).join(' | ')} |`;
  return [line(header), `|${header.map((_, i) => (i === 0 ? '---' : '---:')).join('|')}|`, ...rows.map(line)];
}

const escape = (text: string): string => text.replace(/[\\`*_{}[\]<>|#]/g, (c) => `\\${c}`);
const baseName = (file: string): string => file.split(/[\\/]/).at(-1)!;
const ms = (value: number): string => `${value.toPrecision(3)} ms`;
const percent = (value: number): string => `${(100 * value).toFixed(2)}%`;
const signed = (value: number): string => `${value < 0 ? '' : '+'}${value.toFixed(5)}`;
