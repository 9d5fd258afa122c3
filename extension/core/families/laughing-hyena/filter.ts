import type { TensorFile } from '../../formats/tensor-file';
import type { FilterSource } from '../shared/family-model';
import { modalSource } from '../shared/modal-filter';

/** Tensor names of a filter: r, theta, R_re, R_im [states, d]; h_0 [1, d]. */
export interface LaughingFilter {
  /** What stands before the names; empty or with a dot at its end. */
  readonly prefix: string;
}

export const TENSORS = ['r', 'theta', 'R_re', 'R_im', 'h_0'] as const;

/**
 * k[0] = h_0, k[t] = Re sum_s (R_re + i R_im)[s] (r e^{i theta})[s]^(t - 1) for t >= 1; no factor 2.
 * Source: Zymrael/savanna, LaughingHyenaModalFilter.
 */
export function laughingSource(file: TensorFile, { prefix }: LaughingFilter, states: number, channels: number): FilterSource {
  return modalSource(async (first, end) => {
    const read = async (name: string): Promise<Float32Array> => file.readFloat32(`${prefix}${name}`);
    const [r, theta, re, im] = [await read('r'), await read('theta'), await read('R_re'), await read('R_im')];
    const byChannel = (value: (at: number) => number): Float64Array =>
      Float64Array.from({ length: (end - first) * states }, (_, i) => value((i % states) * channels + first + Math.floor(i / states)));
    return {
      states, delay: 1,
      logPoles: { re: byChannel((at) => Math.log(Math.abs(r[at]))), im: byChannel((at) => theta[at] + (r[at] < 0 ? Math.PI : 0)) },
      residues: { re: byChannel((at) => re[at]), im: byChannel((at) => im[at]) },
      direct: Float64Array.from(await file.readFloat32(`${prefix}h_0`, first, end)),
    };
  });
}
