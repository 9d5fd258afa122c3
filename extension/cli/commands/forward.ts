import * as path from 'node:path';
import { Command, Option } from 'commander';
import type { SampleType } from '../../core/engine/engine';
import type { OptionOverrides } from '../../core/families/model';
import { runJob } from '../host';
import { integer, SET_HELP, setOption } from '../options';
import { print } from '../table';

interface ForwardOptions { input: string; output: string; backend: 'cpu' | 'cuda'; recausalise?: boolean; threads?: number; dtype?: SampleType; set?: OptionOverrides }

export const forwardCommand = new Command('forward')
  .description('run a model, or a plan with its masks, on given tokens')
  .argument('<model-or-plan>', 'model file or folder, or *.surgery.json')
  .requiredOption('--input <file>', 'safetensors file with input_ids [B, L] (or input for models without tokens)')
  .requiredOption('-o, --output <file>', 'safetensors file to write: logits')
  .addOption(new Option('--backend <name>', 'device').choices(['cpu', 'cuda']).default('cpu'))
  .option('--recausalise', 'zero the negative lags of masked filters')
  .addOption(new Option('--dtype <type>', 'element type of products and convolutions on the GPU; f32: in float32 accuracy').choices(['f16', 'bf16', 'f32']).default('f16'))
  .option('--threads <T>', 'threads of the kernels', integer(1))
  .option('--set <name=value>', SET_HELP, setOption)
  .action(async (source: string, options: ForwardOptions) => {
    const output = path.resolve(options.output);
    const { shape } = await runJob('forward', {
      source: path.resolve(source), options: options.set, input: path.resolve(options.input), output,
      recausalise: options.recausalise ?? false, backend: options.backend, dtype: options.dtype, threads: options.threads,
    });
    print(`${output}: logits [${shape.join(', ')}]`);
  });
