import type { Engine } from '../engine/engine';
import { UserError } from '../errors';
import type { LongConvModel, Site } from '../families/model';
import { gridRequest } from '../families/site-shape';
import { cellCount, cellOfFrequency, mapDigits } from '../masks/cells';
import { addCellEnergies, energyCells } from '../masks/energy';
import { defaultGrid } from '../masks/grid';
import type { PlanRequest } from '../protocol/kernel-host';
import { listed, modelProblems } from './check';
import type { CellSet, ChannelMask, FrequencyPattern, MonarchGrid, PartialMask, SurgeryPlan } from './plan';
import type { PlanProblem } from './problem';
import { relativeModelPath } from './read';
import { readLags } from './ring';
import { ruleProblems } from './rules';

/** Spectrum elements in work at a time while energies are measured. */
const CHUNK_ELEMENTS = 2 ** 24;

const PATTERN_OPTIONS = ['lowpass', 'blocks', 'comb', 'energy'] as const;

/**
 * A plan that masks all chosen sites alike, each on its own default grid unless the request names one; without any mask, a
 * plan that changes nothing. `fingerprint` is that of the model file. Throws a UserError when the request contradicts itself,
 * does not fit a site, or chooses none.
 */
export async function makePlan(model: LongConvModel, request: PlanRequest, engine: Engine, fingerprint: string): Promise<SurgeryPlan> {
  refuseContradictions(request);
  const sites = chooseSites(model, request.sites);
  const wantsFrequency = PATTERN_OPTIONS.some((option) => request[option] !== undefined);
  const partial = partialMask(request);
  const planned: { site: string; masks: ChannelMask[] }[] = [];
  for (const site of wantsFrequency || partial !== undefined ? sites : []) {
    const grid = wantsFrequency ? defaultGrid({ ...gridRequest(model, site), fftSize: request.fftSize, factors: request.factors }) : undefined;
    const frequency = grid && { grid, symmetry: request.symmetry ?? 'conjugate', keep: await pattern(model, site, grid, request, engine) };
    planned.push({ site: site.id, masks: [{ ...(frequency && { frequency }), ...(partial && { partial }) }] });
  }
  const options = Object.fromEntries(model.options.map(({ name, value }) => [name, value]));
  const plan: SurgeryPlan = {
    version: 1,
    model: {
      path: relativeModelPath(model.file.path, request.planPath),
      family: model.family,
      fingerprint,
      ...(model.options.length > 0 && { options }),
    },
    sites: planned,
  };
  const [problem] = [...ruleProblems(plan), ...modelProblems(plan, model)];
  if (problem !== undefined) {
    throw new UserError(`${optionOf(problem, request)}: ${problem.message}.`, problem.hint);
  }
  return plan;
}

/** The option of the request that a field of the plan came from. */
function optionOf({ path }: PlanProblem, request: PlanRequest): string {
  const field = path[path.length - 1];
  if (path.includes('keep')) {
    return PATTERN_OPTIONS.find((option) => request[option] !== undefined) ?? 'keep';
  }
  return path.includes('partial') ? (field === 'taper' ? 'taper' : 'partial') : String(field === 'site' ? 'sites' : field);
}

/** The sites whose whole id the glob matches: `*` any characters, `?` any one. All of them without a glob. */
export function chooseSites<T extends { readonly id: string }>(model: { readonly name: string; readonly sites: readonly T[] }, glob = '*'): T[] {
  const source = glob.replace(/[\\^$.*+?()[\]{}|]/g, (c) => (c === '*' ? '.*' : c === '?' ? '.' : `\\${c}`));
  const pattern = new RegExp(`^${source}$`, 's');
  const chosen = model.sites.filter(({ id }) => pattern.test(id));
  if (chosen.length === 0) {
    if (model.sites.length === 0) throw new UserError(`${model.name} has no long convolution that can be masked.`, 'Inspect it: its notes say what was found, and why it cannot be.');
    throw new UserError(`No site of ${model.name} matches "${glob}".`, `Its sites are ${listed(model.sites.map(({ id }) => id))}.`);
  }
  return chosen;
}

function refuseContradictions(request: PlanRequest): void {
  const given = PATTERN_OPTIONS.filter((option) => request[option] !== undefined);
  if (given.length > 1) {
    throw new UserError(`${given.join(' and ')} are two frequency masks, and a site takes one.`, 'Choose one of them, or draw the cells in the plan editor.');
  }
  if (request.taper !== undefined && request.partial === undefined) {
    throw new UserError('A taper ends a partial mask, and there is none.', 'Give the number of taps to keep as well (partial).');
  }
  const idle = (['fftSize', 'factors', 'symmetry'] as const).find((option) => request[option] !== undefined);
  if (given.length === 0 && idle !== undefined) {
    const name = idle === 'fftSize' ? 'FFT size' : idle;
    throw new UserError(`The ${name} belongs to a frequency mask, and there is none.`, `Choose one as well: ${PATTERN_OPTIONS.join(', ')}.`);
  }
  for (const option of ['lowpass', 'energy'] as const) {
    const fraction = request[option];
    if (fraction !== undefined && !(fraction > 0 && fraction <= 1)) {
      throw new UserError(`${option} ${fraction} is not a fraction above 0 and up to 1.`);
    }
  }
  for (const option of ['partial', 'comb'] as const) {
    const count = request[option];
    if (count !== undefined && (!Number.isInteger(count) || count < 1)) {
      throw new UserError(`${option} ${count} is not a whole number of at least 1.`);
    }
  }
  if (request.taper !== undefined && (!Number.isInteger(request.taper) || request.taper < 0)) {
    throw new UserError(`taper ${request.taper} is not a whole number of at least 0.`);
  }
}

function partialMask({ partial, taper }: PlanRequest): PartialMask | undefined {
  return partial === undefined ? undefined : { taps: partial, ...(taper !== undefined && taper > 0 && { taper }) };
}

async function pattern(model: LongConvModel, site: Site, grid: MonarchGrid, request: PlanRequest, engine: Engine): Promise<FrequencyPattern> {
  if (request.lowpass !== undefined) {
    return { kind: 'lowpass', fraction: request.lowpass };
  }
  if (request.blocks !== undefined) {
    return { kind: 'block', counts: [...request.blocks] };
  }
  if (request.comb !== undefined) {
    return { kind: 'comb', rows: request.comb };
  }
  const fraction = request.energy ?? 1;
  return { kind: 'energy', fraction, cells: await siteEnergyCells(model, site, grid, fraction, engine) };
}

/** The (comb row, band) cells that hold the fraction of the site's energy, summed over all its channels. */
export async function siteEnergyCells(model: LongConvModel, site: Site, grid: MonarchGrid, fraction: number, engine: Engine): Promise<CellSet> {
  const digits = mapDigits(grid);
  const cellOf = cellOfFrequency(grid, digits);
  const energies = new Float64Array(cellCount(grid, digits));
  const bins = grid.fftSize / 2 + 1;
  const step = Math.max(1, Math.floor(CHUNK_ELEMENTS / bins));
  for (let first = 0; first < site.channels; first += step) {
    const end = Math.min(site.channels, first + step);
    const { filter, width } = await readLags(model, site, grid, [first, end], engine);
    const magnitudes = await engine.spectrum(filter, width, grid.fftSize);
    for (let c = 0; c < end - first; c++) {
      addCellEnergies(energies, magnitudes.subarray(c * bins, (c + 1) * bins), cellOf);
    }
  }
  return energyCells(energies, grid, digits, fraction);
}
