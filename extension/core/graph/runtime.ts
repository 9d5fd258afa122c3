import type { Engine } from '../engine/engine';
import { SiteConvolution } from '../engine/site-convolution';
import { UserError } from '../errors';
import type { SiteFilter } from '../plan/site-filter';
import type { DenseSession, DenseSessions, DenseTensor } from './dense-sessions';
import { encodeModel } from './encode-model';
import { inputTensors, type ModelInput } from './inputs';
import type { LongConvNode } from './long-conv-op';
import type { ModelGraph } from './model-graph';
import { type DenseStep, type GraphPartition, partition } from './partition';
import { checkRunLength, type LengthLimit, siteLimit } from './run-length';
import { constantTensor } from './tensor-data';

export type { ModelInput } from './inputs';

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
  /** Longest input that will be run, in samples; longer ones are refused. The one length of all runs where a filter is bound to one. */
  readonly maxLength: number;
  /** Threads of the convolution kernels; default: the engine's own choice. */
  readonly threads?: number;
}

export interface RunOptions {
  /** Called after each site's convolution, and waited for. */
  readonly onSite?: (event: SiteEvent) => Promise<void> | void;
  /** Further inputs by name, [batch, length]. */
  readonly extra?: ReadonlyMap<string, ModelInput>;
}

export interface ModelOutput { readonly data: Float32Array; readonly dims: readonly number[] }

/** What runs a model on whole inputs: ModelRunner, or the GPU's runner (core/gpu). */
export interface RunsModel {
  run(input: ModelInput, batch: number, length: number, options?: Pick<RunOptions, 'extra'>): Promise<Float32Array>;
  infer(input: ModelInput, batch: number, length: number, options?: Pick<RunOptions, 'extra'>): Promise<ModelOutput>;
  dispose(): Promise<void>;
}

/**
 * Runs a model: the graph is cut at its long convolutions; dense pieces run in `sessions`, convolutions in `engine`.
 * One run at a time. The filters can be exchanged between runs without rebuilding the dense pieces.
 */
export class ModelRunner implements RunsModel {
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
    const constants = new Map([...plan.constants].map(([name, value]) => [name, constantTensor(value)]));
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
    const { samples, ...limit } = siteLimit(filter, this.setup.maxLength, this.setup.graph.siteLengths?.get(site));
    const convolution = await SiteConvolution.prepare(this.setup.engine, filter, samples);
    this.sites.get(site)?.convolution.free();
    this.sites.set(site, { convolution, ...limit, channels: filter.site.channels });
  }

  /**
   * Logits [batch, length, V] of token ids [batch, length] (or what the graph makes of float input; see `infer`).
   * Throws UserError when the input is longer than the runner or a site's filter is made for.
   */
  async run(input: ModelInput, batch: number, length: number, options: RunOptions = {}): Promise<Float32Array> {
    return (await this.infer(input, batch, length, options)).data;
  }

  /** The same with the output's dimensions. Float input has the dimensions that the graph declares. */
  async infer(input: ModelInput, batch: number, length: number, options: RunOptions = {}): Promise<ModelOutput> {
    checkRunLength(length, this.setup.maxLength, this.sites);
    const { graph } = this.setup;
    const logits = (await this.runFeeds(inputTensors(graph, input, batch, length, options.extra), [graph.output], options)).get(graph.output)!;
    if (logits.type !== 'float32') throw new UserError(`The model's output "${graph.output}" is of type ${logits.type}, but logits are float32.`);
    return { data: logits.data as Float32Array, dims: logits.dims };
  }

  /** The wanted outputs for inputs given by name. */
  async runFeeds(feeds: ReadonlyMap<string, DenseTensor>, wanted: readonly string[], options: RunOptions = {}): Promise<Map<string, DenseTensor>> {
    const values = new Map(feeds);
    const pooled = new Map<string, Float32Array>();
    for (const step of this.plan.steps) {
      if (step.kind === 'dense') {
        const given = new Map<string, DenseTensor>();
        for (const name of step.inputs) given.set(name, (await this.stored(name)) ?? value(values, name));
        for (const [name, result] of await this.loaded.get(step)!.run(given, step.outputs)) values.set(name, result);
      } else {
        const { skip } = step.node;
        const stored = skip === undefined ? undefined : await this.stored(skip);
        const output = await this.convolve(step.node, stored ? new Map([...values, [skip!, stored]]) : values, options);
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

  /** A weight that is on disk, read anew: nothing holds it once its step has run. */
  private async stored(name: string): Promise<DenseTensor | undefined> {
    const weight = this.setup.graph.stored?.get(name);
    return weight && { type: 'float32', data: await weight.read(), dims: weight.dims };
  }

  private operand(values: ReadonlyMap<string, DenseTensor>, name: string): DenseTensor {
    return values.get(name) ?? this.constants.get(name) ?? value(values, name);
  }
}

interface PreparedSite extends LengthLimit {
  readonly convolution: SiteConvolution;
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
