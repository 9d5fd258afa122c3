import { Command, InvalidArgumentError, Option } from 'commander';
import { UserError } from '../../core/errors';
import { parseOperations, parseShapes } from '../../core/validation/bench/request';
import type { BenchOperation, BenchRequest, BenchResult, BenchShape } from '../../core/validation/bench/request';
import { runJob } from '../host';
import { integer } from '../options';
import { milliseconds, percent, print, printJson, table } from '../table';

interface BenchOptions {
  backend: BenchRequest['backend']; shapes: BenchShape[]; ops: BenchOperation[]; threads?: number; gated?: boolean; circular?: boolean;
  dtype: BenchRequest['dtype']; json?: boolean;
}

const DEFAULT_SHAPES = 'B1H256L8192,B1H256L65536';
const DEFAULT_OPERATIONS = 'dense,partial:128,comb:0.25,lowpass:0.25';

export const benchCommand = new Command('bench')
  .description('the kernels alone on noise, dense and sparse, against the libraries that are present')
  .addOption(new Option('--backend <name>', 'device').choices(['cpu', 'cuda']).default('cpu'))
  .addOption(new Option('--shapes <list>', 'batch, channels and length').argParser(usage(parseShapes)).default(parseShapes(DEFAULT_SHAPES), DEFAULT_SHAPES))
  .addOption(new Option('--ops <list>', 'dense, partial:K, comb:F, lowpass:F, block:a.b.c').argParser(usage(parseOperations)).default(parseOperations(DEFAULT_OPERATIONS), DEFAULT_OPERATIONS))
  .option('--threads <T>', 'threads of the kernels and of the libraries', integer(1))
  .option('--gated', 'multiply input and result by gates')
  .option('--circular', 'circular convolutions of length L in place of causal ones')
  .addOption(new Option('--dtype <type>', 'type of signals and filters; on the GPU f32 is computed in float32 accuracy, f16 and bf16 with float16 operands').choices(['f32', 'f16', 'bf16']).default('f32'))
  .option('--json', 'machine-readable output')
  .action(async ({ shapes, ops, gated, circular, json, ...rest }: BenchOptions) => {
    const results = await runJob('bench', { ...rest, shapes, operations: ops, gated: gated ?? false, circular: circular ?? false });
    if (json) return printJson(results);
    print(describe(results));
  });

/** A value that cannot be read is wrong usage (exit 2). */
function usage<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      if (error instanceof UserError) throw new InvalidArgumentError(`${error.message} ${error.hint ?? ''}`.trim());
      throw error;
    }
  };
}

/** One row for each result; behind a baseline's time, how many times the kernel is faster. */
function describe(results: readonly BenchResult[]): string {
  const baselines = [...new Set(results.flatMap((result) => Object.keys(result.baselines)))];
  const rows = results.map((r) => [
    `B${r.B} H${r.H} L${r.L} ${r.op}`, r.algorithm, percent(r.kept), milliseconds(r.median_ms), milliseconds(r.mad_ms), milliseconds(r.floor_ms), r.error.toExponential(1),
    ...baselines.map((name) => (name in r.baselines ? `${milliseconds(r.baselines[name])} (${(r.baselines[name] / r.median_ms).toFixed(1)}x)` : '-')),
  ]);
  const { backend, causal, gated, dtype, threads } = results[0];
  return [
    `${causal ? 'causal' : 'circular'}${gated ? ', gated' : ''}, ${dtype}, ${backend === 'cuda' ? 'GPU' : `${threads} thread${threads === 1 ? '' : 's'}`}; times in ms`,
    table(['shape and operation', 'kernel', 'kept', 'median', 'MAD', 'floor', 'error', ...baselines], rows),
  ].join('\n');
}
