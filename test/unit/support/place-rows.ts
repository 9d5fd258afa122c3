import type { SirenFilterRequest } from '../../../extension/core/engine/engine';

/** A filter [channels, positions] where the request wants it; see SirenFilterRequest.into. */
export function placedRows(made: Float32Array, { into, t }: Pick<SirenFilterRequest, 'into' | 't'>): Float32Array {
  if (!into) return made;
  for (let c = 0; c * t.length < made.length; c++) into.rows.set(made.subarray(c * t.length, (c + 1) * t.length), c * into.stride);
  return into.rows;
}
