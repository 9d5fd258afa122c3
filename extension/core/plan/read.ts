import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { UserError } from '../errors';
import type { JsonNode } from './json-text';
import { JsonSyntaxError, parseJson, placeOf, rangeOf } from './json-text';
import type { SurgeryPlan } from './plan';
import type { PlanProblem } from './problem';
import { problemText } from './problem';
import { ruleProblems } from './rules';
import { schemaProblems } from './schema';

export { formatPlan } from './format';

/** A problem with its place in the text, for the editor's markers: UTF-16 offsets, half open. */
export interface PlacedProblem extends PlanProblem {
  readonly offset: number;
  readonly end: number;
}

/** The plan in a text, or everything that is wrong with it, in text order. */
export function parsePlan(text: string): { readonly plan: SurgeryPlan } | { readonly problems: readonly PlacedProblem[] } {
  let root: JsonNode;
  try {
    root = parseJson(text);
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) {
      throw error;
    }
    const end = Math.min(text.length, error.offset + 1);
    return { problems: [{ path: [], message: `not valid JSON: ${error.message}`, offset: error.offset, end }] };
  }
  const inShape = schemaProblems(root.value);
  const problems = inShape.length > 0 ? inShape : ruleProblems(root.value as SurgeryPlan);
  if (problems.length === 0) {
    return { plan: root.value as SurgeryPlan };
  }
  const placed = problems.map((problem) => ({ ...problem, ...rangeOf(root, problem.path) }));
  return { problems: placed.sort((a, b) => a.offset - b.offset) };
}

/** The plan in a text. Throws a UserError that names the file, the line and the field. */
export function readPlan(text: string, fileName: string): SurgeryPlan {
  const result = parsePlan(text);
  if ('plan' in result) {
    return result.plan;
  }
  const [first, ...rest] = result.problems;
  const more = rest.length === 0 ? '' : ` (and ${rest.length} more)`;
  const place = `${path.basename(fileName)}, line ${placeOf(text, first.offset).line}`;
  throw new UserError(`${place}: ${problemText(first)}${more}.`, first.hint);
}

/** Reads a plan file. Throws a UserError when it cannot be read or is not a plan. */
export async function loadPlan(planPath: string): Promise<SurgeryPlan> {
  let text: string;
  try {
    text = await fs.readFile(planPath, 'utf8');
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a folder' : code === 'EACCES' ? 'permission denied' : message;
    throw new UserError(`${planPath} cannot be read: ${why}.`);
  }
  return readPlan(text, planPath);
}

/** Absolute path of the plan's model: relative paths are relative to the plan's folder. */
export function resolveModelPath(plan: SurgeryPlan, planPath: string): string {
  return path.resolve(path.dirname(planPath), plan.model.path);
}

/** How a plan names its model: relative to the plan's folder with forward slashes; absolute where there is no relative way. */
export function relativeModelPath(modelPath: string, planPath: string): string {
  const relative = path.relative(path.dirname(path.resolve(planPath)), path.resolve(modelPath));
  return path.isAbsolute(relative) ? relative : relative.split(path.sep).join('/');
}
