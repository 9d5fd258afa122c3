import { UserError } from '../../errors';

/**
 * The fields of a config.json, or of an object in it, read with their types: an absent or null field is undefined, one of the wrong type
 * throws UserError. Without a config.json everything is absent.
 */
export class ConfigFields {
  private readonly fields: Readonly<Record<string, unknown>>;

  /** `where` names the file. */
  constructor(value: unknown, readonly where: string) {
    if (value !== undefined && (typeof value !== 'object' || value === null || Array.isArray(value))) {
      throw new UserError(`${where} is not a model configuration: it must be a JSON object.`, 'Correct the file, or move it away to open the model without it.');
    }
    this.fields = (value ?? {}) as Record<string, unknown>;
  }

  has(key: string): boolean {
    return this.fields[key] !== undefined && this.fields[key] !== null;
  }

  /** A nested object; one without fields where it is absent. */
  object(key: string): ConfigFields {
    return this.has(key) ? new ConfigFields(this.of(key, (value) => typeof value === 'object' && !Array.isArray(value), 'an object'), this.where) : new ConfigFields(undefined, this.where);
  }

  count(key: string): number | undefined {
    return this.of(key, (value) => Number.isSafeInteger(value) && (value as number) > 0, 'a whole number above 0') as number | undefined;
  }

  positive(key: string): number | undefined {
    return this.of(key, (value) => Number.isFinite(value) && (value as number) > 0, 'a number above 0') as number | undefined;
  }

  number(key: string): number | undefined {
    return this.of(key, (value) => Number.isFinite(value), 'a finite number') as number | undefined;
  }

  flag(key: string): boolean | undefined {
    return this.of(key, (value) => typeof value === 'boolean', 'true or false') as boolean | undefined;
  }

  text(key: string): string | undefined {
    return this.of(key, (value) => typeof value === 'string', 'a text') as string | undefined;
  }

  indices(key: string): readonly number[] | undefined {
    const valid = (value: unknown): boolean => Array.isArray(value) && value.every((index) => Number.isSafeInteger(index) && index >= 0);
    return this.of(key, valid, 'a list of layer numbers') as number[] | undefined;
  }

  /** Throws UserError unless each setting is absent or has its one supported value. */
  expectFixed(family: string, settings: Readonly<Record<string, unknown>>): void {
    for (const [key, value] of Object.entries(settings)) {
      if (this.has(key) && this.fields[key] !== value) {
        throw new UserError(`${this.where} sets "${key}" to ${JSON.stringify(this.fields[key])}, and only ${JSON.stringify(value)} is supported for ${family}.`);
      }
    }
  }

  /** Throws UserError where a configured number contradicts what the tensors have. */
  expectStored(checks: readonly (readonly [what: string, configured: number | undefined, stored: number | undefined])[]): void {
    for (const [what, configured, stored] of checks) {
      if (configured !== undefined && stored !== undefined && configured !== stored) {
        throw new UserError(`${this.where} and the model disagree: ${what} is ${configured} in the file, but the tensors have ${stored}.`,
          'Check that config.json belongs to this model, or move it away to open the model without it.');
      }
    }
  }

  private of(key: string, valid: (value: unknown) => boolean, expected: string): unknown {
    if (!this.has(key)) {
      return undefined;
    }
    if (!valid(this.fields[key])) {
      throw new UserError(`${this.where} sets "${key}" to ${JSON.stringify(this.fields[key])} where ${expected} is needed.`, 'Correct the file.');
    }
    return this.fields[key];
  }
}
