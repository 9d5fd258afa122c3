import { UserError } from '../errors';
import type { JsonPath } from './json-text';
import { fieldName } from './json-text';

/** Something in a plan that must be changed before it can be used. */
export interface PlanProblem {
  /** The field that is wrong or missing; [] for the file as a whole. */
  readonly path: JsonPath;
  /** What is wrong with it, without a full stop. */
  readonly message: string;
  readonly hint?: string;
}

/** The problem in one sentence without a full stop, beginning with the field's name. */
export function problemText({ path, message }: PlanProblem): string {
  return path.length === 0 ? message : `${fieldName(path)}: ${message}`;
}

export function problemError(problem: PlanProblem): UserError {
  return new UserError(`${problemText(problem)}.`, problem.hint);
}
