import * as path from 'node:path';
import { Command } from 'commander';
import type { OptionOverrides } from '../../core/families/model';
import type { ModelSummary } from '../../core/protocol/kernel-host';
import { runJob } from '../host';
import { SET_HELP, setOption } from '../options';
import { bytes, print, printJson, table } from '../table';

export const inspectCommand = new Command('inspect')
  .description('family, sites, parameters, size, and what can be written back')
  .argument('<model>', 'model file or folder')
  .option('--set <name=value>', SET_HELP, setOption)
  .option('--json', 'machine-readable output')
  .action(async (model: string, options: { set?: OptionOverrides; json?: boolean }) => {
    const summary = await runJob('inspect', { model: path.resolve(model), options: options.set });
    if (options.json) printJson(summary);
    else print(describe(summary));
  });

function describe(summary: ModelSummary): string {
  const lines = [
    `${summary.name}: ${summary.family}, ${summary.parameters.toLocaleString('en-US')} parameters, ${bytes(summary.bytes)}`,
    `longest input ${summary.maxLength} tokens, vocabulary ${summary.vocabularySize}${summary.tokenizer ? ', with tokenizer' : ', takes input_ids'}`,
    ...summary.options.map((option) => `${option.name} = ${option.value} (${option.source})`),
    ...summary.notes,
    '',
    table(
      ['site', 'H', 'L', 'kind', 'storage', 'write back'],
      summary.sites.map((site) => [site.id, `${site.channels}`, `${site.taps}`, site.direction, site.storage, site.writeBack.join(', ')]),
    ),
  ];
  return lines.join('\n');
}
