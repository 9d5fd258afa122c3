import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

export const ROOT = path.resolve(__dirname, '../../..');
export const SAMPLE = path.join(ROOT, 'test/fixtures/samples/hyenadna-tiny-1k-ecoli');
export const MODEL = path.join(SAMPLE, 'model.safetensors');
export const GOLDEN = path.join(ROOT, 'test/fixtures/golden');

export interface CliResult { readonly code: number; readonly stdout: string; readonly stderr: string }

/** Runs the built command line with plain Node, as a user would. */
export const cli = (...args: string[]): Promise<CliResult> => cliWith(process.env, ...args);

export function cliWith(env: NodeJS.ProcessEnv, ...args: string[]): Promise<CliResult> {
  return new Promise((resolve) => {
    execFile(process.execPath, [path.join(ROOT, 'dist/cli.js'), ...args], { maxBuffer: 1 << 28, env }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code ?? -1) : 0, stdout, stderr });
    });
  });
}

/** Runs a command that must succeed. */
export async function run(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await cli(...args);
  if (code !== 0) throw new Error(`longconv-surgeon ${args.join(' ')} ended with ${code}: ${stderr}`);
  return stdout;
}

export function temporaryFolder(): string {
  return fs.mkdtempSync(path.join(os.tmpdir(), 'longconv-surgeon-test-'));
}
