import * as path from 'node:path';
import { Command, Option } from 'commander';
import { writeFileAtomically } from '../../core/io/atomic-file';
import type { OptionOverrides } from '../../core/families/model';
import { formatPlan } from '../../core/plan/read';
import type { Symmetry } from '../../core/plan/plan';
import { runJob } from '../host';
import { fraction, integer, integerList, SET_HELP, setOption } from '../options';
import { print } from '../table';

interface PlanOptions {
  partial?: number; taper?: number; lowpass?: number; blocks?: number[]; comb?: number; energy?: number;
  fftSize?: number; factors?: number[]; symmetry?: Symmetry; sites?: string; set?: OptionOverrides; output: string;
}

export const planCommand = new Command('plan')
  .description('write a surgery plan: the same masks on all chosen sites')
  .argument('<model>', 'model file or folder')
  .option('--partial <K>', 'keep the first K taps', integer(1))
  .option('--taper <T>', 'end the kept taps in a cosine taper of T lags', integer(0))
  .option('--lowpass <F>', 'keep the fraction F of the spectrum nearest to frequency 0', fraction)
  .option('--blocks <a,b,..>', 'keep the cells whose digits n_i are below these counts', integerList)
  .option('--comb <A>', 'keep A rows of the first digit', integer(1))
  .option('--energy <F>', 'keep the cells of most energy until the fraction F is reached', fraction)
  .option('--fft-size <N>', 'FFT size of the grid', integer(2))
  .option('--factors <N1,N2,..>', 'Monarch factors of the grid', integerList)
  .addOption(new Option('--symmetry <kind>', 'what happens to the mirror of a cell').choices(['conjugate', 'gain']))
  .option('--sites <glob>', 'only these sites, e.g. "layers.0.*"')
  .option('--set <name=value>', SET_HELP, setOption)
  .requiredOption('-o, --output <file>', 'plan to write, *.surgery.json')
  .action(async (model: string, options: PlanOptions) => {
    const { output, set, ...masks } = options;
    const planPath = path.resolve(output);
    const plan = await runJob('makePlan', { ...masks, model: path.resolve(model), planPath, writes: [planPath], options: set });
    await writeFileAtomically(planPath, formatPlan(plan));
    print(`${planPath}: masks on ${plan.sites.length} ${plan.sites.length === 1 ? 'site' : 'sites'}`);
  });
