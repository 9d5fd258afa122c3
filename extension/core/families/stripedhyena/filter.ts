import type { TensorFile } from '../../formats/tensor-file';
import { UserError } from '../../errors';
import type { ExactWriteBack } from '../model';
import type { FilterSource } from '../shared/family-model';
import { complex, logarithm, modalParameters, type ModalParameters, modalSource } from '../shared/modal-filter';
import type { StripedFilter } from './layout';
import type { FilterSize } from './sizes';

/**
 * The filter of a block: h[c, t] = Re sum_s residues[c, s] poles[c, s]^t (no factor 2); with real exponentials
 * h[c, t] = sum_s residues[c, s] exp(log_poles[c, s] t); or stored taps. Each group's filter serves several channels in a row.
 * Source: togethercomputer/stripedhyena (engine.py) and Zymrael/vortex.
 */
export function stripedSource(file: TensorFile, filter: StripedFilter, { groups, size }: FilterSize, hidden: number): FilterSource {
  const perGroup = hidden / groups;
  switch (filter.kind) {
    case 'modal': return grouped(perGroup, modalSource((first, end) => complexModes(file, filter, size, first, end)));
    case 'exponential': return grouped(perGroup, modalSource((first, end) => realModes(file, filter, size, first, end)));
    case 'explicit': return grouped(perGroup, explicitSource(file, filter, size));
  }
}

async function complexModes(file: TensorFile, names: { poles: string; residues: string }, states: number, first: number, end: number): Promise<ModalParameters> {
  const poles = await file.readFloat32(names.poles, first * states * 2, end * states * 2);
  const residues = await file.readFloat32(names.residues, first * states * 2, end * states * 2);
  return modalParameters(end - first, states, (channel, state) => {
    const at = 2 * (channel * states + state);
    return { logPole: logarithm(complex(poles[at], poles[at + 1])), residue: complex(residues[at], residues[at + 1]) };
  });
}

async function realModes(file: TensorFile, names: { logPoles: string; residues: string }, states: number, first: number, end: number): Promise<ModalParameters> {
  const logPoles = await file.readFloat32(names.logPoles, first * states, end * states);
  const residues = await file.readFloat32(names.residues, first * states, end * states);
  return { states, logPoles: { re: Float64Array.from(logPoles) }, residues: { re: Float64Array.from(residues) } };
}

function explicitSource(file: TensorFile, { h, reversed }: { h: string; reversed: boolean }, size: number): FilterSource {
  return async ({ channels: [firstChannel, endChannel], taps: [first, end] }) => {
    const stored = await file.readFloat32(h, firstChannel * size, endChannel * size);
    const rows = new Float32Array((endChannel - firstChannel) * (end - first));
    for (let c = 0; c < endChannel - firstChannel; c++) {
      for (let lag = first; lag < end; lag++) rows[c * (end - first) + lag - first] = stored[c * size + (reversed ? size - 1 - lag : lag)];
    }
    return rows;
  };
}

/**
 * Stored taps that make the rows [hidden, taps] of an explicit filter. Throws UserError where channels of one group have different rows,
 * which one stored filter cannot make.
 */
export function storedTaps(site: string, { h, reversed }: { h: string; reversed: boolean }, { groups, size }: FilterSize, hidden: number, rows: Float32Array): ExactWriteBack {
  const perGroup = hidden / groups;
  const data = new Float32Array(groups * size);
  for (let channel = 0; channel < hidden; channel++) {
    const group = Math.floor(channel / perGroup);
    for (let lag = 0; lag < size; lag++) {
      const at = group * size + (reversed ? size - 1 - lag : lag);
      if (channel % perGroup === 0) data[at] = rows[channel * size + lag];
      else if (data[at] !== rows[channel * size + lag]) {
        throw new UserError(`Channels ${group * perGroup} to ${(group + 1) * perGroup - 1} of ${site} share one stored filter, but the plan treats channel ${channel} in another way.`,
          'Let channel ranges begin and end at such groups, or export as baked.');
      }
    }
  }
  return { tensors: [{ name: h, shape: [groups, 1, size], data }] };
}

/** Repeats each row of `source` for all channels of its group. */
function grouped(perGroup: number, source: FilterSource): FilterSource {
  if (perGroup === 1) {
    return source;
  }
  return async ({ channels: [first, end], taps }, engine) => {
    const width = taps[1] - taps[0];
    const firstGroup = Math.floor(first / perGroup);
    const rows = await source({ channels: [firstGroup, Math.max(firstGroup, Math.ceil(end / perGroup))], taps }, engine);
    const all = new Float32Array((end - first) * width);
    for (let c = first; c < end; c++) {
      const group = Math.floor(c / perGroup) - firstGroup;
      all.set(rows.subarray(group * width, (group + 1) * width), (c - first) * width);
    }
    return all;
  };
}
