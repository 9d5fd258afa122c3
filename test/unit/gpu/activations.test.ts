import * as assert from 'node:assert/strict';
import { ACTIVATION_OP, recogniseActivations } from '../../../extension/core/gpu/activations';
import { GraphBuilder } from '../../../extension/core/graph/builder';
import type { onnx } from '../../../extension/core/graph/onnx';

/** The activation that the last node of a graph was recognised as, and of which value. */
function recognised(build: (b: GraphBuilder) => void): { kind: string; of: string } | undefined {
  const b = new GraphBuilder(['x', 'other']);
  build(b);
  const node = recogniseActivations(b.nodes, new Map<string, onnx.ITensorProto>()).at(-1)!;
  return node.opType === ACTIVATION_OP ? { kind: Buffer.from(node.attribute![0].s!).toString(), of: node.input![0] } : undefined;
}

describe('activations in ONNX graphs', () => {
  it('tanh GELU with x^3 as two products, and half of x first', () => {
    const found = recognised((b) => {
      const cube = b.node('Mul', 's', [b.node('Mul', 's', ['x', 'x']), 'x']);
      const inside = b.node('Add', 's', ['x', b.node('Mul', 's', [cube, b.scalar('s', 0.044715)])]);
      const tanh = b.node('Tanh', 's', [b.node('Mul', 's', [inside, b.scalar('s', Math.sqrt(2 / Math.PI))])]);
      b.node('Mul', 's', [b.node('Mul', 's', ['x', b.scalar('s', 0.5)]), b.node('Add', 's', [tanh, b.scalar('s', 1)])]);
    });
    assert.deepEqual(found, { kind: 'gelu-tanh', of: 'x' });
  });

  it('tanh GELU with Pow, and the half last', () => {
    const found = recognised((b) => {
      const cube = b.node('Pow', 's', ['x', b.scalar('s', 3)]);
      const inside = b.node('Add', 's', ['x', b.node('Mul', 's', [b.scalar('s', 0.044715), cube])]);
      const tanh = b.node('Tanh', 's', [b.node('Mul', 's', [b.scalar('s', 0.7978845608), inside])]);
      b.node('Mul', 's', [b.node('Mul', 's', ['x', b.node('Add', 's', [b.scalar('s', 1), tanh])]), b.scalar('s', 0.5)]);
    });
    assert.deepEqual(found, { kind: 'gelu-tanh', of: 'x' });
  });

  it('GELU with Erf is not taken for the tanh form', () => {
    const found = recognised((b) => {
      const erf = b.node('Erf', 's', [b.node('Div', 's', ['x', b.scalar('s', Math.SQRT2)])]);
      b.node('Mul', 's', [b.node('Mul', 's', ['x', b.node('Add', 's', [erf, b.scalar('s', 1)])]), b.scalar('s', 0.5)]);
    });
    assert.deepEqual(found, { kind: 'gelu', of: 'x' });
  });

  it('SiLU', () => {
    assert.deepEqual(recognised((b) => b.node('Mul', 's', ['x', b.node('Sigmoid', 's', ['x'])])), { kind: 'silu', of: 'x' });
  });

  it('a gate by another value, another constant and an unknown function are none', () => {
    assert.equal(recognised((b) => b.node('Mul', 's', ['other', b.node('Sigmoid', 's', ['x'])])), undefined);
    assert.equal(recognised((b) => b.node('Mul', 's', ['x', b.node('Sigmoid', 's', [b.node('Mul', 's', ['x', b.scalar('s', 1.702)])])])), undefined);
    assert.equal(recognised((b) => b.node('Mul', 's', ['x', b.scalar('s', 0.5)])), undefined);
  });
});
