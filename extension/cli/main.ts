import { Command, CommanderError } from 'commander';
import { UserError } from '../core/errors';
import { writeFailure } from '../core/io/atomic-file';
import { RpcError } from '../core/protocol/rpc';
import { benchCommand } from './commands/bench';
import { devicesCommand } from './commands/devices';
import { exportCommand } from './commands/export';
import { filtersCommand } from './commands/filters';
import { forwardCommand } from './commands/forward';
import { inspectCommand } from './commands/inspect';
import { planCommand } from './commands/plan';
import { searchCommand } from './commands/search';
import { sweepCommand } from './commands/sweep';
import { validateCommand } from './commands/validate';
import { VERSION } from '../core/version';
import { closeHost } from './host';

/** Exit codes of the command-line contract: 0 done, 1 an error the user can act on, 2 wrong usage. */
const EXIT_ERROR = 1;
const EXIT_USAGE = 2;

const program = new Command('longconv-surgeon')
  .description('Surgery on pretrained long-convolution models: masks in time and frequency, measured with native kernels, exported as new weights.')
  .version(VERSION)
  .option('--verbose', 'show stack traces and what the kernel host prints')
  .exitOverride()
  .configureHelp({ showGlobalOptions: true });

for (const command of [inspectCommand, filtersCommand, planCommand, forwardCommand, validateCommand, sweepCommand, searchCommand, exportCommand, benchCommand, devicesCommand]) {
  program.addCommand(command.exitOverride().copyInheritedSettings(program));
}

// A reader that has had enough (head, less) ends the command without a word.
process.stdout.on('error', (cause: NodeJS.ErrnoException) => process.exit(cause.code === 'EPIPE' ? 0 : report(writeFailure('the standard output', cause))));

async function main(): Promise<void> {
  try {
    await program.parseAsync();
  } catch (error) {
    process.exitCode = report(error);
  } finally {
    closeHost();
  }
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
  const verbose = program.opts<{ verbose?: boolean }>().verbose;
  const message = error instanceof Error ? error.message : String(error);
  const hint = error instanceof UserError || error instanceof RpcError ? error.hint : undefined;
  process.stderr.write(`longconv-surgeon: ${message}${hint ? ` ${hint}` : ''}\n`);
  if (verbose && error instanceof Error && error.stack) process.stderr.write(`${error.stack}\n`);
  return EXIT_ERROR;
}

void main();
