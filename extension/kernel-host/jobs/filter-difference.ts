import { relativeDifference } from '../../core/export/relative-difference';
import type { LongConvModel } from '../../core/families/model';
import { exactRows } from '../../core/plan/exact';
import type { SiteFilter } from '../../core/plan/site-filter';
import { host } from '../host';
import { standingFilter } from '../surgery';

/** Largest relative difference between the filters that were to be written and those of the written file. */
export async function filterDifference(reopened: LongConvModel, changed: ReadonlyMap<string, SiteFilter>): Promise<number> {
  let largest = 0;
  for (const [id, expected] of changed) {
    const actual = await standingFilter(reopened, reopened.sites.find((site) => site.id === id)!, host().engine);
    const alike = expected.parts.length === actual.parts.length && expected.parts.every(({ rows }, i) => rows.length === actual.parts[i].rows.length);
    const pairs = alike ? expected.parts.map(({ rows }, i) => [actual.parts[i].rows, rows]) : [[exactRows(actual), exactRows(expected)]];
    for (const [a, b] of pairs) largest = Math.max(largest, relativeDifference(a, b));
  }
  return largest;
}
