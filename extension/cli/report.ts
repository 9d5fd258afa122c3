import type { MaskedQuality, Quality, Timing, ValidationReport } from '../core/validation/report';
import { milliseconds, percent, table } from './table';

/** The validation report as tables for a terminal. */
export function describeReport(report: ValidationReport): string {
  const lines = [
    `${report.model.path}: ${report.model.family}, ${report.model.parameters.toLocaleString('en-US')} parameters`,
    `${report.device.name}, ${report.device.instructionSet}, ${report.device.threads} threads${report.device.note ? ` (${report.device.note})` : ''}`,
    ...report.model.notes,
  ];
  if (report.dense && report.masked && report.recausalised) {
    lines.push('', `Quality on ${report.data?.path}: ${report.windows} windows of ${report.length} tokens`, qualityTable(report.dense, report.masked, report.recausalised));
  }
  if (report.outputError) {
    lines.push('', `Output of the whole model, relative error: masked ${report.outputError.masked.toExponential(2)}, re-causalised ${report.outputError.recausalised.toExponential(2)}`);
  }
  if (report.sites.length) lines.push('', `Convolutions at ${report.length} tokens, medians in ms`, siteTable(report));
  if (report.wholeModel) {
    const { dense, masked, tokens } = report.wholeModel;
    lines.push('', `Whole model, ${tokens} tokens: dense ${time(dense)}, masked ${time(masked)}`);
  }
  if (report.findings.length) lines.push('', ...report.findings);
  return lines.join('\n');
}

function qualityTable(dense: Quality, masked: MaskedQuality, recausalised: MaskedQuality): string {
  const row = (name: string, q: Quality | MaskedQuality): string[] => [
    name, q.perplexity.toFixed(4), q.bitsPerToken.toFixed(4), percent(q.top1),
    'kl' in q ? q.kl.toExponential(2) : '',
    'nllDifference' in q ? `${signed(q.nllDifference.mean)} [${signed(q.nllDifference.low)}, ${signed(q.nllDifference.high)}]` : '',
  ];
  return table(
    ['', 'perplexity', 'bits/token', 'top-1', 'KL to dense', 'nll difference [95%]'],
    [row('dense', dense), row('masked', masked), row('re-causalised', recausalised)],
  );
}

function siteTable(report: ValidationReport): string {
  return table(
    ['site', 'dense', 'masked', 're-caus.', 'speed-up', 'predicted', 'filter error', 'output error', 'leak', 'bins', 'taps', 'kernel'],
    report.sites.map((s) => [
      s.site, time(s.dense), time(s.masked), time(s.recausalised), `${s.measuredSpeedup.toFixed(2)}x`, `${s.predictedSpeedup.toFixed(2)}x`,
      s.filterError.toExponential(2), s.outputError === null ? '-' : s.outputError.toExponential(2), percent(s.leak), percent(s.keptBins), percent(s.keptTaps), s.algorithms.masked,
    ]),
  );
}

const time = (t: Timing): string => `${milliseconds(t.median_ms)} ± ${milliseconds(t.mad_ms)}`;
const signed = (value: number): string => `${value < 0 ? '' : '+'}${value.toFixed(5)}`;
