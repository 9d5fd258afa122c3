import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { exportInPlace } from '../../../extension/core/export/onnx/in-place';
import { openModel } from '../../../extension/core/families/registry';
import type { LongConvModel } from '../../../extension/core/families/model';
import { openOnnx, type OnnxFile } from '../../../extension/core/formats/onnx/read';
import { siteFilter } from '../../../extension/core/plan/apply';
import type { SurgeryPlan } from '../../../extension/core/plan/plan';
import { ElementType, GraphBuilder, int, ints } from '../../../extension/core/graph/builder';
import { randomFeeds } from '../../../extension/core/graph/feeds';
import { onnx } from '../../../extension/core/graph/onnx';
import { spectralEngine } from '../plan/support/spectral-engine';
import { temporaryFolder } from '../support/files';
import { addConvolution, decaying, encode, finish, H, signalBuilder, T } from './support/build';
import { keptFilters, relative, runHere, runThere, sessions } from './support/models';
import { OnnxModel } from '../../../extension/core/families/onnx/model';

const SHORT = 8;

/** Two short convolutions, a mixing one and one in the body of a Loop, of which detection makes no site. */
function model(): Uint8Array {
  const { b, u } = signalBuilder();
  const first = addConvolution(b, 'first', u, b.floats('short', [H, 1, SHORT], decaying(H, SHORT)), SHORT);
  const mixed = b.node('Conv', 'mixing', [first, b.floats('mixer', [H, H, T], decaying(H * H, T))], { attributes: { pads: ints([T - 1, 0]) } });
  const body = new GraphBuilder(['x']);
  body.input('i', ElementType.INT64, []);
  body.input('cond', ElementType.BOOL, []);
  body.inputs.push({ name: 'x', type: { tensorType: { elemType: 1 } } });
  const y = addConvolution(body, 'inner', 'x', body.floats('inside', [H, 1, T], decaying(H, T)), T);
  body.output(body.node('Identity', 'inner', ['cond']), ElementType.BOOL, []);
  body.output(y, ElementType.FLOAT);
  const trips = b.node('Constant', 'loop', [], { attributes: { value_int: int(2) } });
  finish(b, b.node('Loop', 'loop', [trips, '', mixed], { attributes: { body: { type: onnx.AttributeProto.AttributeType.GRAPH, g: body.graph('body') } } }));
  return encode(b);
}

describe('filters of an ONNX model that the user names in config.json', () => {
  const folder = temporaryFolder();
  async function open(choice?: readonly object[]): Promise<LongConvModel> {
    const file = await folder.write('model.onnx', model());
    if (choice) await folder.write('config.json', JSON.stringify({ longconv_sites: choice }));
    else fs.rmSync(folder.file('config.json'), { force: true });
    return openModel(file, {}, sessions);
  }
  const planFor = (opened: LongConvModel): SurgeryPlan =>
    ({ version: 1, model: { path: opened.path, family: opened.family, fingerprint: 'sha256:0' }, sites: opened.sites.map(({ id }) => ({ site: id, masks: [{ partial: { taps: 4 } }] })) });
  const masked = async (opened: LongConvModel) => new Map(await Promise.all(opened.sites.map(async (site) =>
    [site.id, await siteFilter(opened, site, [{ partial: { taps: 4 } }], spectralEngine, { recausalise: false })] as const)));

  it('nothing is named: none of them is a site, and the reasons are given', async () => {
    const opened = await open();
    assert.deepEqual(opened.sites, []);
    assert.match(opened.notes.join('\n'), /mixes channels[^]*inside the body of a Loop/);
    await opened.close();
  });

  it('a convolution of the graph is a site of it, and the model runs', async () => {
    const opened = await open([{ id: 'mine', tensor: 'short' }]);
    assert.ok(opened instanceof OnnxModel);
    assert.deepEqual(opened.sites.map(({ id, direction, taps, channels }) => [id, direction, taps, channels]), [['mine', 'causal', SHORT, H]]);
    const feeds = randomFeeds(await opened.graph(), T, 0, 1);
    assert.ok(relative((await runHere(opened, await keptFilters(opened), feeds)).get('out'), (await runThere(opened.path, feeds)).get('out')) < 1e-6);
    const output = folder.file('mine.onnx');
    await exportInPlace({ model: opened, plan: planFor(opened), filters: await keptFilters(opened, 4), recausalise: false, output, dataFile: 'data' });
    assert.ok(relative((await runThere(output, feeds)).get('out'), (await runHere(opened, await keptFilters(opened, 4), feeds)).get('out')) < 1e-6);
    await opened.close();
  });

  it('any other tensor is a filter by itself, in a Loop too, and written back in place', async () => {
    const opened = await open([{ id: 'loop', tensor: 'loop/Loop/body/inside', flipped: true }, { id: 'mix', tensor: 'mixer', direction: 'bidirectional' }]) as LongConvModel & { file: OnnxFile };
    assert.match(opened.sitesOnly!, /known by its filters alone/);
    assert.deepEqual(opened.sites.map(({ id, direction, taps, channels, writeBack }) => [id, direction, taps, channels, writeBack]), [
      ['loop', 'causal', T, H, ['exact']], ['mix', 'bidirectional', T / 2, H * H, ['exact']],
    ]);
    const output = folder.file('elsewhere/cut.onnx');
    fs.mkdirSync(folder.file('elsewhere'), { recursive: true });
    const filters = await masked(opened);
    const { touched } = await exportInPlace({ model: opened, plan: planFor(opened), filters, recausalise: false, output, dataFile: 'data' });
    assert.deepEqual([...touched], ['loop/Loop/body/inside', 'mixer']);
    const written = await openOnnx(output);
    const [before, after] = [await opened.file.readFloat32('loop/Loop/body/inside'), await written.readFloat32('loop/Loop/body/inside')];
    after.forEach((value, i) => assert.equal(value, i % T >= T - 4 ? before[i] : 0));
    assert.deepEqual(await written.readBytes('short'), await opened.file.readBytes('short'));
    assert.equal(fs.statSync(output).size > fs.statSync(opened.path).size, true);
    await written.close();
    // The choice travels with the export.
    const again = await openModel(output, {}, sessions);
    assert.deepEqual(again.sites.map(({ id }) => id), ['loop', 'mix']);
    await again.close();
    await assert.rejects(exportInPlace({ model: opened, plan: planFor(opened), filters, lowering: 'dft', recausalise: false, output, dataFile: 'data' }), /chosen by hand/);
    await opened.close();
  });

  it('two sites of one tensor cannot both be changed', async () => {
    const opened = await open([{ id: 'a', tensor: 'mixer' }, { id: 'b', tensor: 'mixer', flipped: true }]) as LongConvModel & { file: OnnxFile };
    await assert.rejects(exportInPlace({ model: opened, plan: planFor(opened), filters: await masked(opened), recausalise: false, output: folder.file('x.onnx'), dataFile: 'data' }), /filters of two sites/);
    await opened.close();
  });

  it('what contradicts the graph, or names nothing, is refused', async () => {
    await assert.rejects(open([{ tensor: 'short', direction: 'circular' }]), /short is circular, but the graph uses it as the filter of a causal convolution/);
    await assert.rejects(open([{ tensor: 'short', flipped: false }]), /short is not flipped, but the graph uses it the other way round/);
    await assert.rejects(open([{ tensor: 'nothing' }]), /has no tensor nothing, which "longconv_sites"/);
  });
});
