import { UserError } from '../../errors';
import type { TensorFile } from '../../formats/tensor-file';
import { Shapes } from '../shared/shapes';
import type { H3Convolution, H3Layout } from './layout';

/** Sizes of a network, as its tensors' shapes give them. */
export interface H3Sizes {
  readonly dModel: number;
  readonly inner: number;
  readonly vocabularySize: number;
  /** N of the shift and of the diagonal state spaces; undefined where the file has none. */
  readonly shiftStates?: number;
  readonly diagonalStates?: number;
  /** Taps of explicit filters; undefined where the file has none. */
  readonly taps?: number;
  readonly rotaryDimension?: number;
}

/** Checks every tensor's shape and dtype against the others. Throws UserError that names the first misfit. */
export function readSizes(file: TensorFile, { frame, layers }: H3Layout): H3Sizes {
  const shapes = new Shapes(file);
  const [vocabularySize, dModel] = shapes.matrix(frame.embedding, 'vocabulary, d_model');
  const [inner] = shapes.matrix(layers[0].fc1.weight, 'd_inner, d_model');
  let found: Pick<H3Sizes, 'shiftStates' | 'diagonalStates' | 'taps' | 'rotaryDimension'> = {};
  for (const { norm1, norm2, fc1, fc2, mixer } of layers) {
    for (const norm of [norm1, norm2]) shapes.pair(norm, [dModel], dModel);
    shapes.pair(fc1, [inner, dModel], inner);
    shapes.pair(fc2, [dModel, inner], dModel);
    shapes.pair(mixer.out, [dModel, dModel], dModel);
    if (mixer.kind === 'attention') {
      shapes.pair(mixer.qkv, [3 * dModel, dModel], 3 * dModel);
      if (mixer.rotaryRates !== undefined) found = { ...found, rotaryDimension: 2 * shapes.of(mixer.rotaryRates)[0] };
      continue;
    }
    for (const linear of [mixer.q, mixer.k, mixer.v]) shapes.pair(linear, [dModel, dModel], dModel);
    for (const convolution of [mixer.first, mixer.second]) {
      refuseHeads(shapes, convolution, dModel);
      found = { ...found, ...filterSizes(shapes, convolution, dModel, found) };
    }
  }
  shapes.pair(frame.finalNorm, [dModel], dModel);
  if (frame.head !== undefined) shapes.expect(frame.head, [vocabularySize, dModel]);
  return { dModel, inner, vocabularySize, ...found };
}

/** With heads of more than one channel there are fewer filters than channels. */
function refuseHeads(shapes: Shapes, { skip }: H3Convolution, dModel: number): void {
  const [channels] = shapes.of(skip);
  if (channels !== dModel && dModel % channels === 0) {
    throw new UserError(`${shapes.path} has H3 heads of ${dModel / channels} channels (${skip} has ${channels} values for d_model ${dModel}), and only heads of one channel are supported.`);
  }
  shapes.expect(skip, [dModel]);
}

function filterSizes(shapes: Shapes, { filter }: H3Convolution, dModel: number, found: Partial<H3Sizes>): Partial<H3Sizes> {
  switch (filter?.kind) {
    case 'shift': {
      const shiftStates = found.shiftStates ?? shapes.matrix(filter.B, 'd_model, states')[1];
      shapes.expect(filter.B, [dModel, shiftStates]);
      shapes.expect(filter.C, [1, dModel, shiftStates]);
      return { shiftStates };
    }
    case 'diagonal': {
      const [matrices, states] = shapes.matrix(filter.invAReal, 'state matrices, states');
      const diagonalStates = found.diagonalStates ?? states;
      if (dModel % matrices !== 0) {
        throw new UserError(`${shapes.path} has ${matrices} state matrices in ${filter.invAReal}, which do not divide d_model ${dModel}.`);
      }
      shapes.expect(filter.invAReal, [matrices, diagonalStates]);
      shapes.expect(filter.AImag, [matrices, diagonalStates]);
      shapes.expect(filter.B, [matrices, diagonalStates, 2]);
      shapes.expect(filter.C, [1, dModel, diagonalStates, 2]);
      shapes.expect(filter.logDt, [dModel]);
      return { diagonalStates };
    }
    case 'explicit': {
      const taps = found.taps ?? shapes.of(filter.kernel)[2] ?? 0;
      shapes.expect(filter.kernel, [1, dModel, taps]);
      return { taps };
    }
    case undefined: return {};
  }
}
