import type { SampleType } from '../engine/engine';
import type { Gpu, TokenSums } from '../engine/gpu';
import { UserError } from '../errors';
import type { ModelGraph } from '../graph/model-graph';
import { inputTensors, type ModelInput } from '../graph/inputs';
import { checkRunLength, type LengthLimit, siteLimit } from '../graph/run-length';
import type { ModelOutput, RunsModel } from '../graph/runtime';
import { int32Ids } from '../graph/token-ids';
import type { SiteFilter } from '../plan/site-filter';
import { compileForGpu } from './compile';
import { GpuConstants } from './constants-on-gpu';
import { converted } from './copy';
import { type ExecutionContext, GpuExecution } from './execution';
import type { GpuProgram } from './program';
import { type GpuSiteCall, GpuSiteConvolution } from './site-convolution';
import { GpuTensor } from './tensor';

export interface GpuRunnerSetup {
  readonly graph: ModelGraph;
  readonly gpu: Gpu;
  /** By site id, one for every LongConv of the graph. */
  readonly filters: ReadonlyMap<string, SiteFilter>;
  /** Longest input that will be run, in samples. The one length of all runs where a filter is circular. */
  readonly maxLength: number;
  /** Element type of matrix products and convolutions; sums and the residual stream are float32. */
  readonly element: SampleType;
}

/** A site's convolution as it ran; the tensors are valid only until the callback's promise settles. */
export interface GpuSiteEvent extends GpuSiteCall { readonly site: string }

interface PreparedSite extends LengthLimit { readonly convolution: GpuSiteConvolution; readonly channels: number; readonly filter: SiteFilter; readonly owned: boolean }

export interface GpuRunOptions {
  /** Further token inputs by name. */
  readonly extra?: ReadonlyMap<string, ModelInput>;
  readonly onSite?: (event: GpuSiteEvent) => Promise<void>;
}

/** Runs a whole model on the GPU: activations stay there from the input to the logits. One run at a time. */
export class GpuModelRunner implements RunsModel {
  private readonly sites = new Map<string, PreparedSite>();

  private constructor(
    private readonly setup: GpuRunnerSetup,
    private readonly program: GpuProgram,
    private readonly constants: GpuConstants,
    private readonly ownsConstants: boolean,
  ) {}

  /** Throws UserError when the GPU lacks one of the model's operators, or a filter is missing or of a size that the kernels do not have. */
  static async create(setup: GpuRunnerSetup): Promise<GpuModelRunner> {
    if (setup.graph.stored) {
      throw new UserError('The model does not fit into memory, and only runs on the CPU read its weights layer by layer.', 'Use --backend cpu.');
    }
    const program = compileForGpu(setup.graph);
    const weights = new Set(program.steps.flatMap((step) => (step.kind === 'linear' ? [step.weight] : [])));
    const constants = await GpuConstants.load(setup.gpu, program.constants, weights, setup.element);
    return GpuModelRunner.prepared(new GpuModelRunner(setup, program, constants, true), setup.filters);
  }

  /** The same model with other filters. It shares this runner's weights and the filters that are the same objects; dispose it before this runner. */
  variant(filters: ReadonlyMap<string, SiteFilter>): Promise<GpuModelRunner> {
    return GpuModelRunner.prepared(new GpuModelRunner({ ...this.setup, filters }, this.program, this.constants, false), filters, this.sites);
  }

  private static async prepared(
    runner: GpuModelRunner, filters: ReadonlyMap<string, SiteFilter>, known: ReadonlyMap<string, PreparedSite> = new Map(),
  ): Promise<GpuModelRunner> {
    try {
      for (const step of runner.program.steps) {
        if (step.kind !== 'convolution' || runner.sites.has(step.node.site)) continue;
        const filter = filters.get(step.node.site);
        if (!filter) throw new UserError(`There is no filter for site ${step.node.site} of the graph.`);
        const shared = known.get(step.node.site);
        if (shared?.filter === filter) {
          runner.sites.set(step.node.site, { ...shared, owned: false });
          continue;
        }
        const { samples, ...limit } = siteLimit(filter, runner.setup.maxLength);
        const convolution = await GpuSiteConvolution.prepare(runner.setup.gpu, filter, samples, runner.setup.element);
        runner.sites.set(step.node.site, { convolution, ...limit, channels: filter.site.channels, filter, owned: true });
      }
    } catch (error) {
      await runner.dispose();
      throw error;
    }
    return runner;
  }

  /**
   * Starts a run and gives its output in float32 (logits [batch, length, V] of token ids [batch, length]), to be released; its values are there
   * after gpu.synchronize(). `onSite` is called after each site's convolution was started, and waited for.
   */
  async start(input: ModelInput, batch: number, length: number, { extra, onSite }: GpuRunOptions = {}): Promise<GpuTensor> {
    const { gpu, element, graph } = this.setup;
    checkRunLength(length, this.setup.maxLength, this.sites);
    const context: ExecutionContext = { gpu, constants: this.constants, operandElement: element };
    const execution = new GpuExecution(context);
    try {
      for (const [name, { type, data, dims }] of inputTensors(graph, input, batch, length, extra, 'int32')) {
        const host = type === 'int64' ? int32Ids(data as BigInt64Array) : (data as Int32Array | Float32Array);
        execution.set(name, await GpuTensor.upload(gpu, host, dims));
      }
      for (const step of this.program.steps) {
        if (step.kind === 'convolution') await this.convolve(execution, step.node, onSite);
        else execution.run(step);
        execution.release(step.release);
      }
      const output = execution.take(this.program.output);
      const single = converted(gpu, output, 'f32');
      output.release();
      return single;
    } finally {
      execution.releaseAll();
    }
  }

  async run(input: ModelInput, batch: number, length: number, options: GpuRunOptions = {}): Promise<Float32Array> {
    return (await this.infer(input, batch, length, options)).data;
  }

  /** The output on the host. Throws UserError when it is not finite. */
  async infer(input: ModelInput, batch: number, length: number, options: GpuRunOptions = {}): Promise<ModelOutput> {
    const output = await this.start(input, batch, length, options);
    try {
      const data = new Float32Array(output.count);
      await this.setup.gpu.download(output, data);
      if (!data.every(Number.isFinite)) throw notFinite(this.setup.element);
      return { data, dims: output.dims };
    } finally {
      output.release();
    }
  }

  /** Next-token sums over the rows that are scored, and KL(dense || this) where the dense model's logits are given. `classes`: columns of the logits. */
  async measure(logits: GpuTensor, targets: GpuTensor, scored: number, classes: number, dense?: GpuTensor): Promise<TokenSums> {
    // Targets belong to the last rows.
    const rows = targets.count, skipped = 4 * (logits.count - rows * classes);
    const sums = await this.setup.gpu.metrics({ logits: logits.address + skipped, dense: dense && dense.address + skipped, targets: targets.address, rows, classes });
    if (sums.finite !== scored) throw notFinite(this.setup.element);
    return sums;
  }

  /** The prepared convolution of a site; it stays this runner's. */
  site(id: string): GpuSiteConvolution {
    return this.sites.get(id)!.convolution;
  }

  async dispose(): Promise<void> {
    await this.setup.gpu.synchronize();
    for (const { convolution, owned } of this.sites.values()) if (owned) convolution.free();
    this.sites.clear();
    if (this.ownsConstants) this.constants.release();
  }

  private async convolve(execution: GpuExecution, node: { site: string; u: string; skip?: string; preGate?: string; postGate?: string; output: string },
    onSite?: (event: GpuSiteEvent) => Promise<void>): Promise<void> {
    const site = this.sites.get(node.site)!;
    const taken: GpuTensor[] = [];
    const operand = (name: string | undefined): GpuTensor | undefined => {
      if (name === undefined) return undefined;
      const tensor = execution.operand(name);
      taken.push(tensor);
      return tensor;
    };
    try {
      const input = operand(node.u)!, preGate = operand(node.preGate), postGate = operand(node.postGate);
      const skip = node.skip === undefined ? undefined : execution.get(node.skip);
      if (input.dims.length !== 3 || input.dims[1] !== site.channels) {
        throw new UserError(`The input of site ${node.site} has shape [${input.dims.join(', ')}], but its filter has ${site.channels} channels.`);
      }
      const wrong = [preGate, postGate].find((gate) => gate && gate.count !== input.count) ?? (skip && skip.count !== site.channels ? skip : undefined);
      if (wrong) throw new UserError(`A gate or skip term of site ${node.site} has shape [${wrong.dims.join(', ')}].`);
      const output = execution.result(node.output, input.element, input.dims);
      site.convolution.run({ input, output, preGate, postGate, skip });
      await onSite?.({ site: node.site, input, output, preGate, postGate, skip });
    } finally {
      for (const tensor of taken) tensor.release();
    }
  }
}

const TYPE_NAMES = { f32: 'float32', f16: 'float16', bf16: 'bfloat16' } as const;

function notFinite(element: SampleType): UserError {
  return new UserError(
    `The model's logits are not finite in ${TYPE_NAMES[element]}: its activations leave the range of that type.`,
    element === 'f16' ? 'Use --dtype bf16 or f32, or --backend cpu.' : 'Use --backend cpu.',
  );
}
