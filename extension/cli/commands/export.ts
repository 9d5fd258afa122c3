import * as path from 'node:path';
import { Command, Option } from 'commander';
import { runJob } from '../host';
import { integer } from '../options';
import { bytes, print, printJson } from '../table';
import type { ExportRequest } from '../../core/protocol/kernel-host';

interface ExportOptions {
  format: ExportRequest['format']; form?: ExportRequest['form']; lowering?: ExportRequest['lowering'];
  recausalise?: boolean; length?: number; output: string; json?: boolean;
}

/** How the export was checked, where not by a run of the whole model. */
const COMPARED = {
  filters: 're-read (the model was not run again), filters',
  convolutions: 're-read and its changed convolutions re-run (all else is byte-identical), results',
} as const;

export const exportCommand = new Command('export')
  .description('write the changed model to new files, re-read and re-run before it is called done')
  .argument('<plan>', '*.surgery.json')
  .addOption(new Option('--format <name>', 'file format').choices(['safetensors', 'onnx']).makeOptionMandatory())
  .addOption(new Option('--form <name>', 'how safetensors hold the changed filters').choices(['exact', 'baked', 'sidecar', 'refit']))
  .addOption(new Option('--lowering <name>', 'how ONNX expresses the convolutions').choices(['dft', 'conv', 'function']))
  .option('--recausalise', 'export the masked filters with their negative lags zeroed')
  .option('--length <L>', 'ONNX: longest input of the exported graph', integer(1))
  .option('--json', 'machine-readable output')
  .requiredOption('-o, --output <file>', 'file to write')
  .action(async (plan: string, options: ExportOptions) => {
    const { json, output, recausalise, ...rest } = options;
    const result = await runJob('exportPlan', { ...rest, plan: path.resolve(plan), recausalise: recausalise ?? false, output: path.resolve(output) });
    if (json) return printJson(result);
    print(`${result.path} (${bytes(result.bytes)})`);
    for (const note of result.notes) print(note);
    const how = result.compared === undefined ? 're-read and re-run, logits' : COMPARED[result.compared];
    print(result.verified === 0 ? `Verified: ${how} identical.` : `Verified: ${how} within ${result.verified.toExponential(1)} (relative).`);
  });
