import type { DenseSessions } from '../../graph/dense-sessions';
import { filterColumns } from '../site-shape';
import { materialise } from './filter';
import { findSites, type FoundSites } from './find-sites';
import type { GraphView } from './graph-view';
import { ModelValues } from './model-values';
import type { Finding, OnnxSite } from './site';

/** Relative deviation that is rounding. */
const SAME = 1e-5;

/**
 * A model of open length runs at any length with the filters of its longest input, so they must be the same ones there: every lag that a
 * shorter input reaches has the same value. Sites of which this is not so become findings.
 */
export async function keepSameAtOtherLength(view: GraphView, sessions: DenseSessions, values: ModelValues, found: FoundSites, length: number): Promise<FoundSites> {
  const shorter = Math.max(2, Math.floor(0.6 * length));
  if (found.sites.length === 0 || shorter >= length) return found;
  const otherValues = await ModelValues.create(view, sessions, shorter);
  const other = await findSites(view, otherValues, 1);
  const sites: OnnxSite[] = [];
  const findings: Finding[] = [...found.findings];
  for (const site of found.sites) {
    const there = other.sites.find(({ id }) => id === site.id);
    const same = there?.direction === site.direction && (site.direction === 'circular'
      || sameLags(site, await materialise(values, site), there, await materialise(otherValues, there)));
    if (same) sites.push(site);
    else findings.push({ id: site.id, operator: site.operator, reason: `has another filter at another length (compared at ${length} and ${shorter} samples)` });
  }
  return { sites, findings };
}

/** Whether the lags of the shorter filter are those of the longer one, scales included. */
function sameLags(long: OnnxSite, longRows: Float32Array, short: OnnxSite, shortRows: Float32Array): boolean {
  if (long.channels !== short.channels) return false;
  const [longColumns, shortColumns] = [filterColumns(long), filterColumns(short)];
  let error = 0;
  let norm = 0;
  for (let h = 0; h < short.channels; h++) {
    for (let column = 0; column < shortColumns; column++) {
      const negative = short.direction === 'bidirectional' && column >= short.taps;
      const a = short.scale * shortRows[h * shortColumns + column];
      const b = long.scale * longRows[h * longColumns + (negative ? longColumns - shortColumns + column : column)];
      error += (a - b) ** 2;
      norm += b ** 2;
    }
  }
  return error <= SAME ** 2 * norm;
}
