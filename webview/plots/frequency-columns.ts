import type { FrequencySeries, MinMax } from '../../extension/core/protocol/webview';
import type { Range } from './scale';

/**
 * The requests that together fill a logarithmic axis: a plain one would spend nearly all columns on the highest octaves.
 * Below the last part every bin has a column of its own.
 */
export function logarithmicParts([from, to]: Range, columns: number): Range[] {
  const parts: Range[] = [];
  let end = to;
  while (end - from > columns && end > 16) {
    const begin = Math.max(from, Math.floor(end / 8));
    parts.unshift([begin, end]);
    end = begin;
    if (begin === from) return parts;
  }
  parts.unshift([from, end]);
  return parts;
}

/** Puts the parts of an axis, ascending and adjoining, together again. */
export function joinSeries(parts: readonly FrequencySeries[]): FrequencySeries {
  if (parts.length === 1) return parts[0];
  const join = (pick: (part: FrequencySeries) => MinMax | undefined): MinMax | undefined => {
    const all = parts.map(pick);
    return all.every(values => values !== undefined)
      ? { min: concat(all.map(values => values.min)), max: concat(all.map(values => values.max)) } : undefined;
  };
  const x = new Float64Array(parts.reduce((sum, part) => sum + part.x.length, 0));
  let at = 0;
  for (const part of parts) {
    x.set(part.x, at);
    at += part.x.length;
  }
  const phases = parts.map(part => part.phase);
  const phase = phases.every(values => values !== undefined) ? concat(phases) : undefined;
  return { x, original: join(part => part.original)!, masked: join(part => part.masked), gain: join(part => part.gain), phase };
}

function concat(arrays: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(arrays.reduce((sum, array) => sum + array.length, 0));
  let at = 0;
  for (const array of arrays) {
    all.set(array, at);
    at += array.length;
  }
  return all;
}
