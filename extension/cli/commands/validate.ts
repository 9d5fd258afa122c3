import * as path from 'node:path';
import { Command, Option } from 'commander';
import type { SampleType } from '../../core/engine/engine';
import { writeFileAtomically } from '../../core/io/atomic-file';
import type { ValidateRequest } from '../../core/protocol/kernel-host';
import { runJob } from '../host';
import { integer } from '../options';
import { describeReport } from '../report';
import { print, printJson } from '../table';

interface ValidateOptions { data?: string; length?: number; backend: ValidateRequest['backend']; threads?: number; dtype?: SampleType; json?: string | true }

export const validateCommand = new Command('validate')
  .description('the speed and quality report of a plan')
  .argument('<plan>', '*.surgery.json')
  .option('--data <file>', 'FASTA, text, or safetensors with input_ids; without it, speed and filter errors only')
  .option('--length <L>', 'window length in tokens', integer(1))
  .addOption(new Option('--backend <name>', 'device').choices(['auto', 'cpu', 'cuda']).default('auto'))
  .addOption(new Option('--dtype <type>', 'element type of products and convolutions on the GPU; f32: in float32 accuracy').choices(['f16', 'bf16', 'f32']).default('f16'))
  .option('--threads <T>', 'threads of the kernels', integer(1))
  .option('--json [report]', 'write the report as JSON to this file, or to stdout in place of the table')
  .action(async (plan: string, options: ValidateOptions) => {
    const { data, json, ...rest } = options;
    const report = await runJob('validate', { ...rest, plan: path.resolve(plan), data: data && path.resolve(data), writes: typeof json === 'string' ? [path.resolve(json)] : [] });
    if (json === true) return printJson(report);
    if (json) await writeFileAtomically(path.resolve(json), `${JSON.stringify(report, null, 2)}\n`);
    print(describeReport(report));
    if (json) print(`\nReport: ${path.resolve(json)}`);
  });
