import * as path from 'node:path';
import { Command, Option } from 'commander';
import { writeFileAtomically } from '../../core/io/atomic-file';
import type { OptionOverrides } from '../../core/families/model';
import type { SweepRequest, SweepResult, SweepRow } from '../../core/protocol/search';
import type { Symmetry } from '../../core/plan/plan';
import { runJob } from '../host';
import { blockList, fractionList, integer, integerList, SET_HELP, setOption } from '../options';
import { percent, print, printJson, table } from '../table';

interface SweepOptions {
  data: string; partial?: number[]; lowpass?: number[]; blocks?: number[][]; comb?: number[]; grid?: boolean; eachSite?: boolean; symmetry?: Symmetry;
  sites?: string; length?: number; windows?: number; backend: SweepRequest['backend']; threads?: number; set?: OptionOverrides; fresh?: boolean; json?: string | true;
}

export const sweepCommand = new Command('sweep')
  .description('quality and speed for each setting')
  .argument('<model>', 'model file or folder')
  .requiredOption('--data <file>', 'FASTA, text, or safetensors with input_ids')
  .option('--partial <K1,K2,..>', 'cuts in time: taps that are kept', integerList)
  .option('--lowpass <F1,F2,..>', 'fractions of the spectrum nearest to frequency 0', fractionList)
  .option('--blocks <a,b,..;..>', 'block patterns, separated by semicolons', blockList)
  .option('--comb <A1,A2,..>', 'rows of the first digit', integerList)
  .option('--grid', 'also every combination of a cut in time with a frequency pattern')
  .option('--each-site', 'each site alone in place of all together: how sensitive the model is to each')
  .addOption(new Option('--symmetry <kind>', 'what happens to the mirror of a cell').choices(['conjugate', 'gain']))
  .option('--sites <glob>', 'only these sites, e.g. "layers.0.*"')
  .option('--length <L>', 'window length in tokens', integer(1))
  .option('--windows <n>', 'at most so many windows, evenly spaced over the data', integer(1))
  .addOption(new Option('--backend <name>', 'device').choices(['auto', 'cpu', 'cuda']).default('auto'))
  .option('--threads <T>', 'threads of the kernels', integer(1))
  .option('--set <name=value>', SET_HELP, setOption)
  .option('--fresh', 'start anew where an earlier sweep to the same report was not finished')
  .option('--json [report]', 'write the rows as JSON to this file, or to stdout in place of the table')
  .action(async (model: string, options: SweepOptions) => {
    const { data, json, set, grid, ...rest } = options;
    const report = typeof json === 'string' ? path.resolve(json) : undefined;
    const result = await runJob('sweep', {
      ...rest, model: path.resolve(model), data: path.resolve(data), options: set, combine: grid, writes: report === undefined ? [] : [report], journal: report && `${report}.unfinished`,
    });
    if (result.resumed > 0) process.stderr.write(`${result.resumed} of ${result.rows.length} rows are from the earlier, unfinished sweep.\n`);
    if (json === true) return printJson(result.rows);
    if (report) await writeFileAtomically(report, `${JSON.stringify(result.rows, null, 2)}\n`);
    print(describe(result));
    if (report) print(`\nReport: ${report}`);
  });

function describe({ rows, windows, length, device }: SweepResult): string {
  const change = (row: SweepRow, loss: SweepRow['masked']): string => {
    const value = 100 * (loss.perplexity / row.dense.perplexity - 1);
    return `${value < 0 ? '' : '+'}${value.toFixed(2)}%`;
  };
  const eachSite = rows.some((row) => row.sites !== 'all');
  return [
    `${windows} windows of ${length} tokens; ${device.name}, ${device.instructionSet}, ${device.threads} threads; dense perplexity ${rows[0].dense.perplexity.toFixed(4)}`,
    '',
    table(
      ['mask', ...(eachSite ? ['site'] : []), 'perplexity', 'change', 're-causalised', 'change', 'speed-up', 'filter error', 'leak', ''],
      rows.map((row) => [
        row.mask, ...(eachSite ? [row.sites] : []), row.masked.perplexity.toFixed(4), change(row, row.masked), row.recausalised.perplexity.toFixed(4), change(row, row.recausalised),
        `${row.speedup.toFixed(2)}x`, row.filterError.toExponential(2), percent(row.leak), row.pareto ? '*' : '',
      ]),
    ),
    '',
    '* no other row is both faster and better; speed-ups are of all long convolutions of the model.',
  ].join('\n');
}
