import { gridProblem } from '../masks/grid';
import type { FieldProblem } from '../masks/grid';
import { patternProblem } from '../masks/patterns';
import type { JsonPath } from './json-text';
import type { ChannelMask, FrequencyMask, SurgeryPlan } from './plan';
import type { PlanProblem } from './problem';

/** What the schema cannot say about a plan, and that can be decided without its model. */
export function ruleProblems(plan: SurgeryPlan): PlanProblem[] {
  const problems: PlanProblem[] = [];
  const seen = new Map<string, number>();
  plan.sites.forEach(({ site, masks }, i) => {
    const before = seen.get(site);
    if (before !== undefined) {
      problems.push({ path: ['sites', i, 'site'], message: `${site} is listed already, as sites[${before}]`, hint: 'Put all masks of a site into one entry.' });
    }
    seen.set(site, i);
    problems.push(...rangeProblems(masks, ['sites', i, 'masks']));
    masks.forEach((mask, j) => problems.push(...maskProblems(mask, ['sites', i, 'masks', j])));
  });
  return problems;
}

/** Channel ranges must be ascending and disjoint. */
function rangeProblems(masks: readonly ChannelMask[], path: JsonPath): PlanProblem[] {
  const problems: PlanProblem[] = [];
  let end = 0;
  masks.forEach(({ channels }, j) => {
    const at = [...path, j, 'channels'];
    if (channels === undefined) {
      if (masks.length > 1) {
        problems.push({ path: at, message: `this field is missing: without it the mask covers all channels, but the site has ${masks.length} masks` });
      }
      return;
    }
    if (channels[0] >= channels[1]) {
      problems.push({ path: at, message: `the range [${channels.join(', ')}) is empty`, hint: 'The second number is the first channel that is not in the range.' });
    } else if (channels[0] < end) {
      problems.push({ path: at, message: `the range [${channels.join(', ')}) overlaps or precedes the one before, which ends at ${end}` });
    }
    end = Math.max(end, channels[1]);
  });
  return problems;
}

function maskProblems(mask: ChannelMask, path: JsonPath): PlanProblem[] {
  const { frequency, partial } = mask;
  const problems: PlanProblem[] = frequency === undefined ? [] : frequencyProblems(frequency, [...path, 'frequency']);
  if (partial === undefined) {
    return problems;
  }
  if ((partial.taper ?? 0) > partial.taps) {
    problems.push({ path: [...path, 'partial', 'taper'], message: `a taper of ${partial.taper} lags does not fit into ${partial.taps} taps` });
  }
  if (frequency !== undefined && partial.taps > frequency.grid.taps) {
    problems.push({
      path: [...path, 'partial', 'taps'],
      message: `${partial.taps} taps, but only ${frequency.grid.taps} enter the grid of the mask's frequency part`,
      hint: 'Keep fewer taps, or use a larger fftSize.',
    });
  }
  return problems;
}

function frequencyProblems({ grid, keep }: FrequencyMask, path: JsonPath): PlanProblem[] {
  const inGrid = gridProblem(grid);
  if (inGrid !== undefined) {
    return [under([...path, 'grid'], inGrid)];
  }
  const inPattern = patternProblem(keep, grid);
  return inPattern === undefined ? [] : [under([...path, 'keep'], inPattern)];
}

/** The path of a field like `cells.runs` or `counts[1]` below a path. */
function under(path: JsonPath, { field, message, hint }: FieldProblem): PlanProblem {
  const steps = field.split(/[.[\]]/).filter((step) => step !== '').map((step) => (/^\d+$/.test(step) ? Number(step) : step));
  return { path: [...path, ...steps], message, hint };
}
