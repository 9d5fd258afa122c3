import type * as ajv from 'ajv';
import type { ErrorObject, ValidateFunction } from 'ajv';
import schema from '../../../schemas/surgery-plan.schema.json';
import type { JsonPath } from './json-text';
import { nearest } from './nearest';
import type { SurgeryPlan } from './plan';
import type { PlanProblem } from './problem';

/** More than anybody reads: the text of a hostile plan may hold a million mistakes. */
const MOST_PROBLEMS = 200;

/** Objects of a plan up to which all mistakes are collected: ajv's time for that grows with the square of their number. */
const MOST_OBJECTS = 2000;

const compiled = new Map<boolean, ValidateFunction<SurgeryPlan>>();

/** Loaded and compiled on first use: it takes most of the time that the extension would need to start. */
function validator(allErrors: boolean): ValidateFunction<SurgeryPlan> {
  let validate = compiled.get(allErrors);
  if (!validate) {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- an import would be loaded when the extension starts
    const { Ajv } = require('ajv') as typeof ajv;
    validate = new Ajv({ allErrors, verbose: true, allowUnionTypes: true, strictRequired: false, strictTypes: false }).compile<SurgeryPlan>(schema);
    compiled.set(allErrors, validate);
  }
  return validate;
}

/** Whether a value has at most MOST_OBJECTS objects in it. */
function isSmall(value: unknown): boolean {
  let objects = 0;
  const pending = [value];
  for (let next = pending.pop(); next !== undefined && objects <= MOST_OBJECTS; next = pending.pop()) {
    if (typeof next !== 'object' || next === null) continue;
    if (!Array.isArray(next)) objects++;
    for (const inner of Object.values(next)) if (typeof inner === 'object' && inner !== null) pending.push(inner);
  }
  return objects <= MOST_OBJECTS;
}

/** Where a value differs from schemas/surgery-plan.schema.json, in words; empty when it does not. Of an enormous plan just the first place. */
export function schemaProblems(value: unknown): PlanProblem[] {
  const validate = validator(isSmall(value));
  if (validate(value)) {
    return [];
  }
  const errors = validate.errors ?? [];
  // An `if` only says that its `then` failed, and the branches of an `anyOf` only why none of them fits.
  const alternatives = [...new Set(errors.filter(({ keyword }) => keyword === 'anyOf').map(({ schemaPath }) => schemaPath))];
  const own = errors.filter(({ keyword, schemaPath }) => keyword !== 'if' && !alternatives.some((path) => schemaPath.startsWith(`${path}/`)));
  // A plan of another version may differ in any other field, so nothing else is worth saying about it.
  const version = own.filter(({ instancePath }) => instancePath === '/version');
  return (version.length > 0 ? version : own).slice(0, MOST_PROBLEMS).map(toProblem);
}

function toProblem(error: ErrorObject): PlanProblem {
  const path: JsonPath = error.instancePath
    .split('/')
    .slice(1)
    .map((step) => (/^\d+$/.test(step) ? Number(step) : step.replaceAll('~1', '/').replaceAll('~0', '~')));
  const params = error.params as Record<string, unknown>;
  const shown = JSON.stringify(error.data) ?? 'nothing';
  const value = shown.length > 40 ? `${shown.slice(0, 40)}...` : shown;
  switch (error.keyword) {
    case 'additionalProperties':
      return unknownField(path, String(params.additionalProperty), error);
    case 'required':
      return { path: [...path, String(params.missingProperty)], message: 'this field is missing' };
    case 'anyOf':
      return { path, message: 'the mask has neither "frequency" nor "partial"', hint: 'Add one of them, or remove the mask.' };
    case 'const':
      return versionProblem(path, value);
    case 'enum':
      return { path, message: `${value} is not one of ${(params.allowedValues as string[]).join(', ')}` };
    case 'type':
      return { path, message: `${value} is not ${typeName(params.type)}` };
    case 'minItems':
    case 'maxItems':
      return { path, message: `the list has ${(error.data as unknown[]).length} items, but needs at ${error.keyword === 'minItems' ? 'least' : 'most'} ${Number(params.limit)}` };
    case 'minimum':
      return { path, message: `${value} is less than ${Number(params.limit)}` };
    case 'exclusiveMinimum':
      return { path, message: `${value} is not more than ${Number(params.limit)}` };
    case 'maximum':
      return { path, message: `${value} is more than ${Number(params.limit)}` };
    case 'uniqueItems':
      return { path, message: `${value} names an item twice` };
    case 'minLength':
      return { path, message: 'the text is empty' };
    case 'pattern':
      return { path, message: `${value} is not of the form sha256:<64 hexadecimal digits>` };
    default:
      return { path, message: `${value} ${error.message ?? 'does not fit the schema'}` };
  }
}

function unknownField(path: JsonPath, field: string, error: ErrorObject): PlanProblem {
  const known = Object.keys((error.parentSchema as { properties?: object } | undefined)?.properties ?? {});
  const meant = nearest(field, known);
  return {
    path: [...path, field],
    message: `this field is not known here${meant === undefined ? '' : ` (perhaps "${meant}" is meant)`}`,
    hint: `Known fields are ${known.join(', ')}.`,
  };
}

function versionProblem(path: JsonPath, value: string): PlanProblem {
  return {
    path,
    message: `plan version ${value} cannot be read; this release reads version 1`,
    hint: 'Open the plan with the release that wrote it, or update Long-Conv Surgeon.',
  };
}

function typeName(type: unknown): string {
  const names: Readonly<Record<string, string>> = {
    object: 'an object', array: 'a list', string: 'text', integer: 'a whole number', number: 'a number', boolean: 'true or false',
  };
  return String(type).split(',').map((one) => names[one] ?? one).join(' or ');
}
