import * as path from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { writeFileAtomically } from '../../core/io/atomic-file';
import type { OptionOverrides } from '../../core/families/model';
import { describeMasks } from '../../core/masks/describe';
import { formatPlan } from '../../core/plan/read';
import type { SearchRequest } from '../../core/protocol/search';
import { runJob } from '../host';
import { integer, SET_HELP, setOption } from '../options';
import { describeReport } from '../report';
import { print, printJson } from '../table';

interface SearchOptions {
  data: string; budget: number; sites?: string; length?: number; windows?: number; tries?: number; backend: SearchRequest['backend']; threads?: number;
  set?: OptionOverrides; output: string; json?: string | true;
}

function percentage(text: string): number {
  const value = Number(text.replace(/%$/, ''));
  if (text.trim() === '' || !(value > 0)) throw new InvalidArgumentError('a percentage above 0 is needed, e.g. 1 for at most 1% worse perplexity.');
  return value;
}

export const searchCommand = new Command('search')
  .description('find the fastest masks within a budget of perplexity; writes a plan and validates it')
  .argument('<model>', 'model file or folder')
  .requiredOption('--data <file>', 'FASTA, text, or safetensors with input_ids')
  .requiredOption('--budget <percent>', 'most that the perplexity may rise by', percentage)
  .option('--sites <glob>', 'only these sites, e.g. "layers.0.*"')
  .option('--length <L>', 'window length in tokens', integer(1))
  .option('--windows <n>', 'windows that the search runs, evenly spaced; its result is checked on all', integer(1))
  .option('--tries <n>', 'measurements of all sites together at most', integer(1))
  .addOption(new Option('--backend <name>', 'device').choices(['auto', 'cpu', 'cuda']).default('auto'))
  .option('--threads <T>', 'threads of the kernels', integer(1))
  .option('--set <name=value>', SET_HELP, setOption)
  .option('--json [report]', 'write everything that was tried, and the validation, as JSON to this file, or to stdout')
  .requiredOption('-o, --output <file>', 'plan to write, *.surgery.json')
  .action(async (model: string, options: SearchOptions) => {
    const { data, json, set, output, ...rest } = options;
    const planPath = path.resolve(output);
    const result = await runJob('search', { ...rest, model: path.resolve(model), data: path.resolve(data), options: set, planPath, writes: [planPath, ...(typeof json === 'string' ? [path.resolve(json)] : [])] });
    await writeFileAtomically(planPath, formatPlan(result.plan));
    if (json === true) return printJson(result);
    if (json) await writeFileAtomically(path.resolve(json), `${JSON.stringify(result, null, 2)}\n`);
    print(describeReport(result.report));
    print('');
    for (const { site, masks } of result.plan.sites) print(`${site}: ${describeMasks(masks)}`);
    print(`\n${result.verdict}\n${planPath}: ${result.tried.length} masks were tried on ${result.searchWindows} windows, the result was validated on ${result.report.windows}.`);
    if (json) print(`Report: ${path.resolve(json)}`);
  });
