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

function inputs({ floatInput, maxLength, vocabularySize, tokenizer, task }: ModelSummary): string {
  const meaning = task === undefined ? '' : `, ${task}`;
  if (floatInput) {
    const shape = ['B', ...floatInput.map((dim) => (dim === 'length' ? 'L' : dim))].join(', ');
    return `longest input ${maxLength} samples, takes input [${shape}]${task === 'classification' ? `, ${vocabularySize} classes` : ''}${meaning}`;
  }
  return `longest input ${maxLength} tokens, vocabulary ${vocabularySize}${tokenizer ? ', with tokenizer' : ', takes input_ids'}${meaning}`;
}

function describe(summary: ModelSummary): string {
  const lines = [
    `${summary.name}: ${summary.family}, ${summary.parameters.toLocaleString('en-US')} parameters, ${bytes(summary.bytes)}`,
    inputs(summary),
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
