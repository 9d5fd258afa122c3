import type { Engine } from '../engine/engine';
import { SiteConvolution } from '../engine/site-convolution';
import { UserError } from '../errors';
import { longestInput } from '../plan/longest-input';
import type { SiteFilter } from '../plan/site-filter';
import type { DenseSession, DenseSessions, DenseTensor } from './dense-sessions';
import { encodeModel } from './encode-model';
import type { LongConvNode } from './long-conv-op';
import type { ModelGraph } from './model-graph';
import { type DenseStep, type GraphPartition, partition } from './partition';
import { constantTensor } from './tensor-data';

/** What a site's convolution was given and what it made. The arrays are valid only until the callback's promise settles. */
export interface SiteEvent {
  readonly site: string;
  /** [batch, H, length], row-major, like the gates and the output. */
  readonly u: Float32Array;
  readonly preGate?: Float32Array;
  readonly postGate?: Float32Array;
  /** [H] */
  readonly skip?: Float32Array;
  /** postGate * (conv(preGate * u) + skip * preGate * u) */
  readonly output: Float32Array;
  readonly batch: number;
  readonly length: number;
}

export interface RunnerSetup {
  readonly graph: ModelGraph;
  readonly sessions: DenseSessions;
  readonly engine: Engine;
  /** By site id, one for every LongConv of the graph. */
  readonly filters: ReadonlyMap<string, SiteFilter>;
  /** Longest input that will be run, in samples; longer ones are refused. The one length of all runs where a filter is circular. */
  readonly maxLength: number;
  /** Threads of the convolution kernels; default: the engine's own choice. */
  readonly threads?: number;
}

export interface RunOptions {
  /** Called after each site's convolution, and waited for. */
  readonly onSite?: (event: SiteEvent) => Promise<void> | void;
}

export type ModelInput = Int32Array | BigInt64Array | Float32Array;

/**
 * Runs a model: the graph is cut at its long convolutions; dense pieces run in `sessions`, convolutions in `engine`.
 * One run at a time. The filters can be exchanged between runs without rebuilding the dense pieces.
 */
export class ModelRunner {
  private readonly sites = new Map<string, PreparedSite>();
  private readonly buffers = new BufferPool();

  private constructor(
    private readonly setup: RunnerSetup,
    private readonly plan: GraphPartition,
    private readonly loaded: ReadonlyMap<DenseStep, DenseSession>,
    private readonly constants: ReadonlyMap<string, DenseTensor>,
    private readonly ownsSessions: boolean,
  ) {}

  /** Throws UserError when a filter is missing. */
  static async create(setup: RunnerSetup): Promise<ModelRunner> {
    const plan = partition(setup.graph);
    const loaded = new Map<DenseStep, DenseSession>();
    const constants = new Map([...plan.constants].map(([name, value]): [string, DenseTensor] =>
      [name, constantTensor(value)]));
    const runner = new ModelRunner(setup, plan, loaded, constants, true);
    try {
      for (const step of plan.steps) {
        if (step.kind === 'dense') {
          loaded.set(step, await setup.sessions.create(encodeModel(step.model)));
        }
      }
      await runner.setAllFilters(setup.filters);
    } catch (error) {
      await runner.dispose();
      throw error;
    }
    return runner;
  }

  /**
   * The same model with other filters. It shares this runner's dense pieces, so it costs no second copy of the weights; dispose
   * it before this runner.
   */
  async variant(filters: ReadonlyMap<string, SiteFilter>): Promise<ModelRunner> {
    const runner = new ModelRunner({ ...this.setup, filters }, this.plan, this.loaded, this.constants, false);
    try {
      await runner.setAllFilters(filters);
    } catch (error) {
      await runner.dispose();
      throw error;
    }
    return runner;
  }

  /** Exchanges one site's filter. Not while a run is under way. */
  async setFilters(site: string, filter: SiteFilter): Promise<void> {
    const longest = this.setup.graph.siteLengths?.get(site) ?? this.setup.maxLength;
    const maxLength = Math.min(longest, longestInput(filter));
    const convolution = await SiteConvolution.prepare(this.setup.engine, filter, maxLength);
    this.sites.get(site)?.convolution.free();
    const circular = filter.parts.some(({ mode }) => mode === 'circular');
    this.sites.set(site, { convolution, maxLength, circular, channels: filter.site.channels });
  }

  /**
   * Logits [batch, length, V] of token ids [batch, length] (or of float input [batch, length, ...]).
   * Throws UserError when the input is longer than the runner or a site's filter is made for.
   */
  async run(input: ModelInput, batch: number, length: number, options: RunOptions = {}): Promise<Float32Array> {
    this.checkLength(length);
    const { graph } = this.setup;
    const logits = (await this.runFeeds(new Map([[graph.input.name, inputTensor(graph, input, batch, length)]]), [graph.output], options)).get(graph.output)!;
    if (logits.type !== 'float32') throw new UserError(`The model's output "${graph.output}" is of type ${logits.type}, but logits are float32.`);
    return logits.data as Float32Array;
  }

  /** The wanted outputs for inputs given by name. Throws UserError when a site's input is longer than it was prepared for. */
  async runFeeds(feeds: ReadonlyMap<string, DenseTensor>, wanted: readonly string[], options: RunOptions = {}): Promise<Map<string, DenseTensor>> {
    const values = new Map(feeds);
    const pooled = new Map<string, Float32Array>();
    for (const step of this.plan.steps) {
      if (step.kind === 'dense') {
        const given = new Map(step.inputs.map((name) => [name, value(values, name)]));
        for (const [name, result] of await this.loaded.get(step)!.run(given, step.outputs)) values.set(name, result);
      } else {
        const output = await this.convolve(step.node, values, options);
        values.set(step.node.output, output);
        pooled.set(step.node.output, output.data as Float32Array);
      }
      for (const name of step.release) {
        values.delete(name);
        this.buffers.give(pooled.get(name));
      }
    }
    return new Map(wanted.map((name) => [name, this.operand(values, name)]));
  }

  async dispose(): Promise<void> {
    for (const { convolution } of this.sites.values()) convolution.free();
    this.sites.clear();
    if (this.ownsSessions) for (const session of this.loaded.values()) await session.dispose();
  }

  private async setAllFilters(filters: ReadonlyMap<string, SiteFilter>): Promise<void> {
    for (const step of this.plan.steps) {
      if (step.kind === 'dense') continue;
      const { site } = step.node;
      if (!this.sites.has(site)) await this.setFilters(site, siteFilter(filters, site));
    }
  }

  private async convolve(node: LongConvNode, values: ReadonlyMap<string, DenseTensor>, { onSite }: RunOptions): Promise<DenseTensor> {
    const site = this.sites.get(node.site)!;
    const u = this.operand(values, node.u);
    const [batch, channels, length] = u.dims;
    if (u.dims.length !== 3 || channels !== site.channels) {
      throw new UserError(`The input of site ${node.site} has shape [${u.dims.join(', ')}], but its filter has ${site.channels} channels.`);
    }
    checkSiteLength(node.site, site, length);
    const beside = (name: string | undefined, size: number): Float32Array | undefined => {
      const data = name === undefined ? undefined : (this.operand(values, name).data as Float32Array);
      if (data && data.length !== size) {
        throw new UserError(`The value "${name}" of site ${node.site} has ${data.length} elements instead of ${size}.`);
      }
      return data;
    };
    const call = {
      batch,
      length,
      preGate: beside(node.preGate, u.data.length),
      postGate: beside(node.postGate, u.data.length),
      skip: beside(node.skip, channels),
    };
    const input = u.data as Float32Array;
    const output = this.buffers.take(input.length);
    await site.convolution.run({ ...call, input, output, threads: this.setup.threads });
    await onSite?.({ ...call, site: node.site, u: input, output });
    return { type: 'float32', data: output, dims: u.dims };
  }

  private operand(values: ReadonlyMap<string, DenseTensor>, name: string): DenseTensor {
    return values.get(name) ?? this.constants.get(name) ?? value(values, name);
  }

  private checkLength(length: number): void {
    if (length > this.setup.maxLength) throw tooLong(length, 'the runner', this.setup.maxLength);
    if (!this.setup.graph.siteLengths) for (const [id, site] of this.sites) checkSiteLength(id, site, length);
  }
}

/** `length`: samples of the site's own input. */
function checkSiteLength(id: string, { maxLength, circular }: PreparedSite, length: number): void {
  if (circular && length !== maxLength) {
    throw new UserError(`The input has ${length} samples, but the circular filter of site ${id} was prepared for exactly ${maxLength}.`);
  }
  if (length > maxLength) throw tooLong(length, `the filter of site ${id}`, maxLength);
}

function tooLong(length: number, what: string, limit: number): UserError {
  return new UserError(
    `The input has ${length} samples, but ${what} is made for at most ${limit}.`,
    'Use a shorter input, or cut every filter with a partial mask: partial filters run on inputs of any length.',
  );
}

interface PreparedSite {
  readonly convolution: SiteConvolution;
  readonly maxLength: number;
  /** Runs at maxLength only. */
  readonly circular: boolean;
  readonly channels: number;
}

function siteFilter(filters: ReadonlyMap<string, SiteFilter>, site: string): SiteFilter {
  const filter = filters.get(site);
  if (!filter) throw new UserError(`There is no filter for site ${site} of the graph.`);
  return filter;
}

function value(values: ReadonlyMap<string, DenseTensor>, name: string): DenseTensor {
  const found = values.get(name);
  if (!found) throw new Error(`The value "${name}" of the graph is not there when it is needed.`);
  return found;
}

function inputTensor(graph: ModelGraph, input: ModelInput, batch: number, length: number): DenseTensor {
  if (graph.input.kind === 'tokens') {
    if (input instanceof Float32Array) throw new Error('The model takes token ids, not floats.');
    if (input.length !== batch * length) throw new Error(`${input.length} token ids were given for shape [${batch}, ${length}].`);
    const data = input instanceof BigInt64Array ? input : BigInt64Array.from(input, BigInt);
    // ONNX counts negative indices from the end, so a padding of -1 would silently become the last token of the vocabulary.
    const negative = data.findIndex((id) => id < 0n);
    if (negative >= 0) throw new UserError(`Token ${negative} of the input is ${data[negative]}, but token ids start at 0.`);
    return { type: 'int64', data, dims: [batch, length] };
  }
  if (!(input instanceof Float32Array)) throw new Error('The model takes floats, not token ids.');
  const declared = graph.model.graph!.input!.find(({ name }) => name === graph.input.name);
  const rank = declared?.type?.tensorType?.shape?.dim?.length ?? 3;
  return { type: 'float32', data: input, dims: rank === 2 ? [batch, length] : [batch, length, input.length / (batch * length)] };
}

/** Output buffers of convolutions, used again in later sites and runs. */
class BufferPool {
  private readonly free = new Map<number, Float32Array[]>();

  take(length: number): Float32Array {
    return this.free.get(length)?.pop() ?? new Float32Array(length);
  }

  /** Sizes of other runs are dropped, so that the pool never holds more than one run needs. */
  give(buffer: Float32Array | undefined): void {
    if (!buffer) return;
    const list = this.free.get(buffer.length);
    if (list) list.push(buffer);
    else {
      this.free.clear();
      this.free.set(buffer.length, [buffer]);
    }
  }
}
