import type { MaskedQuality, Quality, SiteReport, ValidationReport, Verdict } from '../../extension/core/protocol/webview';
import { el } from '../ui/dom';
import { count, milliseconds, percent, plural, significant, speedup } from '../ui/format';
import { table } from '../ui/table';
import { t } from '../ui/l10n';
import { translated } from '../ui/sentences';

const SIGNS: Record<Verdict['kind'], string> = { pays: '✓', costs: '±', useless: '✕', none: '–' };
const NAMES: Record<Verdict['kind'], string> = { pays: t('It pays'), costs: t('It is a trade'), useless: t('It does not pay'), none: t('Nothing is masked') };

/** What the figures mean, for people who do not read tables: told by sign and words, not by colour alone. */
export function verdictCard({ kind, text }: Verdict): HTMLElement {
  return el('div', { class: `verdict ${kind}`, testid: 'verdict' },
    el('span', { class: 'verdict-sign', text: SIGNS[kind], set: { 'aria-hidden': 'true' } }),
    el('div', {}, el('strong', { text: NAMES[kind] }), el('p', { text: translated(text) })));
}

/** Perplexity and its companions for the dense, the masked and the re-causalised model. */
export function qualityTable(report: ValidationReport): HTMLElement | null {
  const { dense, masked, recausalised } = report;
  if (!dense) return null;
  const row = (name: string, quality: Quality, change?: MaskedQuality): string[] => [
    name, significant(quality.perplexity, 5), significant(quality.bitsPerToken, 4), percent(quality.top1),
    change ? difference(change.nllDifference) : '–', change ? significant(change.kl, 3) : '–',
  ];
  return table([
    { title: t('Model') },
    { title: t('Perplexity'), numeric: true }, { title: t('Bits per token'), numeric: true }, { title: t('Top-1'), numeric: true, help: t('Share of positions whose most likely token is the target') },
    { title: t('NLL change (95% interval)'), numeric: true, help: t('Against the dense model, nats per token; paired bootstrap over windows') },
    { title: t('KL to dense'), numeric: true, help: t('Nats per token') },
  ], [
    row(t('Dense'), dense), ...(masked ? [row(t('Masked'), masked, masked)] : []), ...(recausalised ? [row(t('Re-causalised'), recausalised, recausalised)] : []),
  ], { testid: 'quality-table', caption: t('Quality of the model') });
}

const signed = (value: number): string => `${value > 0 ? '+' : value < 0 ? '−' : ''}${significant(Math.abs(value), 3)}`;
const difference = ({ mean, low, high }: MaskedQuality['nllDifference']): string => `${signed(mean)} (${signed(low)} … ${signed(high)})`;

/** Time and error of every site: a speed never stands without its error. */
export function siteTable(sites: readonly SiteReport[]): HTMLElement {
  return table([
    { title: t('Site') },
    { title: t('Dense'), numeric: true, help: t('Median time of the dense convolution') }, { title: t('Masked'), numeric: true, help: t('Median time of the masked convolution') },
    { title: t('Predicted'), numeric: true, help: t('Speed-up that the cost model predicted') }, { title: t('Measured'), numeric: true, help: t('Speed-up that was measured') },
    { title: t('Filter error'), numeric: true, help: '‖k′ − k‖ / ‖k‖' }, { title: t('Output error'), numeric: true, help: t('‖y′ − y‖ / ‖y‖ on real activations') },
    { title: t('Leak'), numeric: true, help: t('Energy at negative lags / total energy of the masked filter') },
  ], sites.map(site => [
    site.site, milliseconds(site.dense.median_ms), milliseconds(site.masked.median_ms), speedup(site.predictedSpeedup), speedup(site.measuredSpeedup),
    significant(site.filterError, 3), site.outputError === null ? t('no data') : significant(site.outputError, 3), percent(site.leak),
  ]), { testid: 'site-table', caption: t('Time and error of each site') });
}

/** The whole model's time, the device, and what was run. */
export function runFacts(report: ValidationReport): HTMLElement {
  const { wholeModel, device } = report;
  const facts: [string, string][] = [];
  if (wholeModel) {
    const times = `${milliseconds(wholeModel.dense.median_ms)} → ${milliseconds(wholeModel.masked.median_ms)}`;
    facts.push([t('Whole model'), t('{0} ({1}) for {2} tokens', times, speedup(wholeModel.dense.median_ms / wholeModel.masked.median_ms), count(wholeModel.tokens))]);
  }
  facts.push([t('Device'), `${device.name}, ${device.backend}, ${device.instructionSet}, ${plural(device.threads, 'thread')}`]);
  facts.push([t('Data'), report.data ? t('{0}: {1} of {2} tokens', report.data.path.split(/[\\/]/).at(-1)!, plural(report.windows, 'window'), count(report.length)) : t('none: speed and filter errors only')]);
  return el('dl', { class: 'facts', testid: 'run-facts' }, ...facts.map(([name, value]) => el('div', {}, el('dt', { text: name }), el('dd', { text: value }))));
}
