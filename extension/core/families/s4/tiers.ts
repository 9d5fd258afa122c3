import { UserError } from '../../errors';
import type { Shapes } from '../shared/shapes';
import type { LinearNames, S4Layer, SashimiLayout } from './layout';

export interface LinearSizes { readonly inputs: number; readonly outputs: number; readonly pool: number }

/** Which layer of a SaShiMi works in which tier: tier 0 has the model's own rate, every pooling divides it. In the order in which they run. */
export function sashimiPlan(layout: SashimiLayout) {
  const layers: { readonly layer: S4Layer; readonly tier: number }[] = [];
  let tier = 0;
  for (const block of [...layout.down, ...layout.centre, ...layout.up.flat()]) {
    if (block.kind === 's4') layers.push({ layer: block.layer, tier });
    else if (block.kind === 'down') tier++;
    else if (block.kind === 'up') tier--;
  }

  return {
    layers,

    /** Length at the model's own rate that the stored state matrices are tuned to, where there are any. */
    longestTuned(tuned: ReadonlyMap<string, number>): number | undefined {
      const top = layers.filter(({ tier }) => tier === 0).map(({ layer }) => tuned.get(layer.site));
      return top.length > 0 && top.every((length) => length !== undefined) ? Math.min(...top) : undefined;
    },

    /** By scope: sizes of the pooling and feed-forward layers. Throws UserError where the blocks are not those of a SaShiMi, or do not fit. */
    checkedLinears(shapes: Shapes, width: number): Map<string, LinearSizes> {
      refuseUnpaired(shapes, layout);
      const sizes = new Map<string, LinearSizes>();
      const widths = [width];
      const poolings = new Set([...layout.down, ...layout.up.flat()].filter(({ kind }) => kind === 'down' || kind === 'up').map(({ scope }) => scope));
      for (const block of [...layout.down, ...layout.centre, ...layout.up.flat()]) {
        if (block.kind === 'down') {
          const [outputs, inputs] = matrixOf(shapes, block.linear);
          sizes.set(block.scope, { inputs, outputs, pool: inputs / widths[widths.length - 1] });
          widths.push(outputs);
        } else if (block.kind === 'up') {
          const [outputs, inputs] = matrixOf(shapes, block.linear);
          widths.pop();
          sizes.set(block.scope, { inputs, outputs, pool: outputs / widths[widths.length - 1] });
        } else if (block.kind === 'ff') {
          const [outputs, inputs] = matrixOf(shapes, block.input);
          sizes.set(block.scope, { inputs, outputs, pool: 1 });
        }
      }
      for (const [scope, { pool }] of sizes) {
        // Average pooling (unet.py) has a linear layer that does not tell over how many samples.
        if (pool === 1 && poolings.has(scope)) throw new UserError(`${shapes.path} has a pooling ${scope} over an unknown number of samples, and only poolings by a linear layer over all of them are supported.`);
        if (!Number.isInteger(pool) || pool < 1) throw new UserError(`${shapes.path} has a pooling ${scope} whose channels are not a multiple of its tier's.`);
      }
      return sizes;
    },

    /** By tier: its samples for each sample of the model's input. */
    rates(linears: ReadonlyMap<string, LinearSizes>): number[] {
      const rates = [1];
      for (const { kind, scope } of layout.down) if (kind === 'down') rates.push(rates[rates.length - 1] / linears.get(scope)!.pool);
      return rates;
    },
  };
}

/** Every tier begins with an up-pooling, for which there is a down-pooling; in the variant `unet` with as many blocks before it as behind the other. */
function refuseUnpaired(shapes: Shapes, layout: SashimiLayout): void {
  const falling = [0];
  for (const { kind } of layout.down) {
    falling[falling.length - 1]++;
    if (kind === 'down') falling.push(0);
  }
  const rest = falling.pop();
  const lengths = layout.up.map((blocks) => (layout.unet ? blocks.length : 1));
  const pooled = layout.up.every((blocks) => blocks.every(({ kind }, i) => (kind === 'up') === (i === 0)));
  if (rest !== 0 || !pooled || falling.reverse().join() !== lengths.join()) {
    throw new UserError(`${shapes.path} has a SaShiMi whose blocks are not poolings, a centre, and as many poolings back, with other blocks behind the latter alone or as many before the former (unet).`);
  }
}

/** [outputs, inputs] of a linear layer, stored as a matrix or as a convolution of one tap. */
export function matrixOf(shapes: Shapes, { weight, direction, length, bias }: LinearNames): readonly [number, number] {
  const name = direction ?? weight!;
  const [outputs, inputs, taps = 1] = shapes.of(name);
  shapes.expect(name, shapes.of(name).length === 3 ? [outputs, inputs, 1] : [outputs, inputs]);
  if (taps !== 1) throw new UserError(`${shapes.path} has ${name} with ${taps} taps where one is needed.`);
  if (length !== undefined && shapes.of(length)[0] !== outputs) throw new UserError(`${shapes.path} has ${length} for another number of rows than ${name}.`);
  shapes.expect(bias, [outputs]);
  return [outputs, inputs];
}
