import { UserError } from '../errors';
import type { LongConvModel } from '../families/model';
import { isFloatDType } from '../formats/dtype';
import { encodeFloats } from '../formats/encode-floats';
import type { TensorEntry } from '../formats/safetensors/write';
import { exactRows } from '../plan/exact';
import type { SiteFilter } from '../plan/site-filter';

/** A filter in the tensors that store it. */
export interface ExactTensors {
  /** Largest relative error of rounding to the types of the tensors. */
  readonly roundingError: number;
  /** Settings that the written values need, where they differ from the model's own. */
  readonly config?: Readonly<Record<string, unknown>>;
}

/**
 * Adds the tensors that hold a changed explicit filter to `replaced`, in the types that they have. Throws UserError where a tensor cannot hold
 * the new values, or holds the filter of another changed site too.
 */
export async function writeExactly(model: LongConvModel, filter: SiteFilter, replaced: Map<string, TensorEntry & { readonly data: Uint8Array }>): Promise<ExactTensors> {
  const { site } = filter;
  if (!model.exactTensors) {
    throw new Error(`${model.name} cannot write back ${site.id}, although the site says so`);
  }
  const { tensors, config } = await model.exactTensors(site.id, exactRows(filter));
  let largest = 0;
  for (const { name, shape, data } of tensors) {
    const dtype = model.file.tensors.get(name)?.dtype ?? 'F32';
    const refuse = (what: string): never => { throw new UserError(`${site.id} cannot be exported as "exact": ${what}.`, site.writeBack.includes('baked') ? 'Use the form baked.' : undefined); };
    if (!isFloatDType(dtype)) return refuse(`its tensor ${name} holds ${dtype} values, to which a filter cannot be rounded`);
    if (replaced.has(name)) return refuse(`its tensor ${name} holds the filter of another changed site too`);
    const { bytes, roundingError } = encodeFloats(data, dtype);
    if (!Number.isFinite(roundingError)) return refuse(`its tensor ${name} is ${dtype}, and the masked filter has larger numbers than that type`);
    largest = Math.max(largest, roundingError);
    replaced.set(name, { name, dtype, shape, data: bytes });
  }
  return { roundingError: largest, config };
}
