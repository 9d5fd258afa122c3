import { Command } from 'commander';
import { runJob } from '../host';
import { print, printJson } from '../table';

export const devicesCommand = new Command('devices')
  .description('what can run here, and why not what cannot')
  .option('--json', 'machine-readable output')
  .action(async (options: { json?: boolean }) => {
    const report = await runJob('devices', {});
    if (options.json) return printJson(report);
    print(`cpu   ${report.cpu.name}, ${report.cpu.threads} threads, kernels for ${report.cpu.instructionSets.join(', ')}`);
    print(report.cuda.usable ? `cuda  ${report.cuda.name}` : `cuda  not usable: ${report.cuda.reason}`);
  });
