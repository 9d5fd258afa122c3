import * as path from 'node:path';
import { Command } from 'commander';
import type { OptionOverrides } from '../../core/families/model';
import { runJob } from '../host';
import { SET_HELP, setOption } from '../options';
import { print } from '../table';

export const filtersCommand = new Command('filters')
  .description("write a site's materialised filter as tensor k [H, L] (k_fwd and k_rev, if it is bidirectional) of a safetensors file")
  .argument('<model>', 'model file or folder')
  .requiredOption('--site <id>', 'site id, as inspect lists it')
  .requiredOption('-o, --output <file>', 'safetensors file to write')
  .option('--set <name=value>', SET_HELP, setOption)
  .action(async (model: string, options: { site: string; output: string; set?: OptionOverrides }) => {
    const output = path.resolve(options.output);
    const { channels, taps } = await runJob('exportFilter', { model: path.resolve(model), site: options.site, output, options: options.set });
    print(`${output}: filters [${channels}, ${taps}]`);
  });
