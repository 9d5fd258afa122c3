import * as path from 'node:path';
import type { OnnxFile } from '../../formats/onnx/read';
import { tensorElements } from '../../formats/onnx/parse-tensor';
import { type DenseTensor, elementTypeOf } from '../../graph/dense-sessions';
import type { ModelGraph } from '../../graph/model-graph';
import type { LongConvModel, ModelOption, Site, TapRange, Task } from '../model';
import { filterColumns } from '../site-shape';
import { materialise } from './filter';
import type { FoundSites } from './find-sites';
import { type GraphView, ValueKind } from './graph-view';
import type { ModelValues } from './model-values';
import { runGraph, siteGraph } from './run-graph';
import type { OnnxSite } from './site';

export const ONNX_FAMILY = 'onnx';

export interface OnnxModelParts {
  readonly file: OnnxFile;
  readonly view: GraphView;
  readonly values: ModelValues;
  readonly found: FoundSites;
  readonly options: readonly ModelOption[];
  readonly notes: readonly string[];
  readonly maxLength: number;
  readonly fixedLength: boolean;
  readonly vocabularySize: number;
  readonly task: Task;
  /** Axis of the first input along which the samples run. */
  readonly lengthAxis: number;
}

/** An opened ONNX model. It owns its file. */
export class OnnxModel implements LongConvModel {
  readonly family = ONNX_FAMILY;
  readonly name: string;
  readonly path: string;
  readonly file: OnnxFile;
  readonly parameters: number;
  readonly sites: readonly Site[];
  readonly onnxSites: readonly OnnxSite[];
  readonly view: GraphView;
  readonly vocabularySize: number;
  readonly maxLength: number;
  readonly fixedLength: boolean;
  readonly task: Task;
  readonly floatInput?: readonly (number | 'length')[];
  readonly options: readonly ModelOption[];
  readonly notes: readonly string[];
  private readonly lengthAxis: number;
  private readonly values: ModelValues;
  private readonly filters = new Map<string, Promise<Float32Array>>();

  constructor(parts: OnnxModelParts) {
    this.file = parts.file;
    this.path = parts.file.path;
    this.name = path.basename(parts.file.path);
    this.view = parts.view;
    this.values = parts.values;
    this.options = parts.options;
    this.maxLength = parts.maxLength;
    this.fixedLength = parts.fixedLength;
    this.vocabularySize = parts.vocabularySize;
    this.task = parts.task;
    this.lengthAxis = parts.lengthAxis;
    const [first] = parts.view.feeds;
    if (first && first.elementType !== 6 && first.elementType !== 7) {
      const shape = parts.values.inputShapes.get(first.name) ?? [];
      this.floatInput = shape.slice(1).map((size, i) => (i + 1 === parts.lengthAxis ? 'length' : size));
    }
    this.onnxSites = parts.found.sites;
    this.sites = parts.found.sites.map((site, layer) => describe(parts.view, site, layer, parts.maxLength));
    this.notes = [...parts.notes, ...parts.found.findings.map(({ id, operator, reason }) => `Found but left as it is: ${operator} ${id} ${reason}.`)];
    this.parameters = [...parts.file.structure.graph.initializers.values()]
      .filter(({ type }) => type === 1 || type === 10 || type === 11 || type === 16)
      .reduce((sum, tensor) => sum + tensorElements(tensor), 0);
  }

  async filter(siteId: string, { channels, taps }: TapRange): Promise<Float32Array> {
    const site = this.onnxSites.find(({ id }) => id === siteId);
    if (!site || !inside(channels, site.channels) || !inside(taps, filterColumns(site))) {
      throw new RangeError(`no channels [${channels.join(', ')}) and taps [${taps.join(', ')}) in site ${siteId} of ${this.name}`);
    }
    const whole = await this.wholeFilter(site);
    const width = taps[1] - taps[0];
    const columns = filterColumns(site);
    const result = new Float32Array((channels[1] - channels[0]) * width);
    for (let h = channels[0]; h < channels[1]; h++) {
      result.set(whole.subarray(h * columns + taps[0], h * columns + taps[1]), (h - channels[0]) * width);
    }
    return result;
  }

  async graph(): Promise<ModelGraph> {
    return runGraph(this.view, this.values, this.onnxSites, this.lengthAxis, this.fixedLength);
  }

  /** The model without its long convolutions cut out, in operators that ONNX Runtime runs on every machine. */
  plainGraph(): ModelGraph {
    return runGraph(this.view, this.values, [], this.lengthAxis, this.fixedLength);
  }

  /** One site by itself, from its input to its result. */
  siteGraph(site: OnnxSite): ModelGraph {
    return siteGraph(this.view, site);
  }

  /** Values of the graph from other values of it that are given; its nodes and constants are the file's. See ModelValues.run. */
  run(wanted: readonly string[], given: ReadonlyMap<string, DenseTensor>): Promise<Map<string, DenseTensor>> {
    return this.values.run(wanted, given);
  }

  /** Whether the file itself needs operators that ONNX Runtime runs on some machines only. */
  get needsOtherOperators(): boolean {
    return this.view.nodes.some(({ rewritten }) => rewritten?.otherOperator);
  }

  /** Little-endian values of a site's cut in the cut's own type (TensorProto.DataType). */
  async cutBytes({ cut }: OnnxSite): Promise<{ bytes: Uint8Array; type: number }> {
    if (cut.tensor) return { bytes: this.file.tensorBytes(cut.tensor), type: cut.tensor.type };
    const { data, type } = (await this.values.evaluate([cut.value])).get(cut.value)!;
    this.values.forget(cut.value);
    return { bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength), type: elementTypeOf(type) };
  }

  close(): Promise<void> {
    return this.file.close();
  }

  /** [channels, columns]; see filterColumns. */
  wholeFilter(site: OnnxSite): Promise<Float32Array> {
    let filter = this.filters.get(site.id);
    if (!filter) {
      filter = materialise(this.values, site);
      this.filters.set(site.id, filter);
      filter.catch(() => this.filters.delete(site.id));
    }
    return filter;
  }
}

function describe(view: GraphView, site: OnnxSite, layer: number, maxLength: number): Site {
  const { id, channels, taps, direction, cut, u, tail } = site;
  const samples = u.dims[u.timeAxis] + tail;
  const explicit = cut.tensor !== undefined;
  return {
    id, layer, channels, taps, direction,
    ...(samples !== maxLength && { rate: samples / maxLength }),
    storage: explicit ? 'explicit' : 'implicit',
    writeBack: [explicit ? 'exact' : 'baked'],
    filterTensors: cut.tensor ? [view.file.nameOf(cut.tensor)] : [],
    finite: view.kind(cut.value) === ValueKind.Constant || cut.value === '',
  };
}

const inside = ([first, end]: readonly [number, number], size: number): boolean =>
  Number.isInteger(first) && Number.isInteger(end) && first >= 0 && first <= end && end <= size;
