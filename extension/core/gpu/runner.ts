import type { Gpu, TokenSums } from '../engine/gpu';
import { UserError } from '../errors';
import type { ModelGraph } from '../graph/model-graph';
import { checkRunLength, type LengthLimit } from '../graph/run-length';
import { longestInput } from '../plan/longest-input';
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
  readonly element: 'f16' | 'bf16';
}

/** A site's convolution as it ran; the tensors are valid only until the callback's promise settles. */
export interface GpuSiteEvent extends GpuSiteCall { readonly site: string }

interface PreparedSite extends LengthLimit { readonly convolution: GpuSiteConvolution; readonly channels: number; readonly filter: SiteFilter; readonly owned: boolean }

/** Runs a whole model on the GPU: activations stay there from the token ids to the logits. One run at a time. */
export class GpuModelRunner {
  private readonly sites = new Map<string, PreparedSite>();

  private constructor(
    private readonly setup: GpuRunnerSetup,
    private readonly program: GpuProgram,
    private readonly constants: GpuConstants,
    private readonly ownsConstants: boolean,
  ) {}

  /** Throws UserError when the GPU lacks one of the model's operators, or a filter is missing or of a size that the kernels do not have. */
  static async create(setup: GpuRunnerSetup): Promise<GpuModelRunner> {
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
        const maxLength = Math.min(runner.setup.maxLength, longestInput(filter));
        const convolution = await GpuSiteConvolution.prepare(runner.setup.gpu, filter, maxLength);
        runner.sites.set(step.node.site, {
          convolution, maxLength, circular: filter.parts.some(({ mode }) => mode === 'circular'), channels: filter.site.channels, filter, owned: true,
        });
      }
    } catch (error) {
      runner.dispose();
      throw error;
    }
    return runner;
  }

  /**
   * Starts a run and gives its logits [batch, length, V] in float32, to be released; they are there after gpu.synchronize().
   * `onSite` is called after each site's convolution was started, and waited for.
   */
  async start(ids: Int32Array, batch: number, length: number, onSite?: (event: GpuSiteEvent) => Promise<void>): Promise<GpuTensor> {
    const { gpu, element, graph } = this.setup;
    if (graph.input.kind !== 'tokens') throw new UserError('Models that take floats in place of token ids cannot run on the GPU.', 'Use --backend cpu.');
    checkRunLength(length, this.setup.maxLength, this.sites);
    const negative = ids.findIndex((id) => id < 0);
    if (negative >= 0) throw new UserError(`Token ${negative} of the input is ${ids[negative]}, but token ids start at 0.`);
    const context: ExecutionContext = { gpu, constants: this.constants, operandElement: element };
    const execution = new GpuExecution(context);
    try {
      execution.set(graph.input.name, await GpuTensor.upload(gpu, ids, [batch, length]));
      for (const step of this.program.steps) {
        if (step.kind === 'convolution') await this.convolve(execution, step.node, onSite);
        else execution.run(step);
        execution.release(step.release);
      }
      const logits = execution.take(this.program.output);
      const single = converted(gpu, logits, 'f32');
      logits.release();
      return single;
    } finally {
      execution.releaseAll();
    }
  }

  /** Logits [batch, length, V] on the host. Throws UserError when they are not finite. */
  async run(ids: Int32Array, batch: number, length: number, onSite?: (event: GpuSiteEvent) => Promise<void>): Promise<Float32Array> {
    const logits = await this.start(ids, batch, length, onSite);
    try {
      const host = new Float32Array(logits.count);
      await this.setup.gpu.download(logits, host);
      if (!host.every(Number.isFinite)) throw notFinite(this.setup.element);
      return host;
    } finally {
      logits.release();
    }
  }

  /** Next-token sums of one run against targets, and KL(dense || this) where the dense model's logits are given. */
  async measure(logits: GpuTensor, targets: GpuTensor, dense?: GpuTensor): Promise<TokenSums> {
    const rows = targets.count;
    const sums = await this.setup.gpu.metrics({ logits: logits.address, dense: dense?.address, targets: targets.address, rows, classes: logits.count / rows });
    if (sums.finite !== rows) throw notFinite(this.setup.element);
    return sums;
  }

  /** The prepared convolution of a site; it stays this runner's. */
  site(id: string): GpuSiteConvolution {
    return this.sites.get(id)!.convolution;
  }

  dispose(): void {
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

function notFinite(element: string): UserError {
  return new UserError(
    `The model's logits are not finite in ${element === 'f16' ? 'float16' : 'bfloat16'}: its activations leave the range of that type.`,
    element === 'f16' ? 'Use --dtype bf16, or --backend cpu.' : 'Use --backend cpu.',
  );
}
