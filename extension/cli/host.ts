import * as path from 'node:path';
import { KernelHostClient } from '../core/engine/kernel-host-client';
import type { KernelHostApi } from '../core/protocol/kernel-host';
import { ProgressLine } from './progress';

let client: KernelHostClient | undefined;

/** Runs one job in the kernel host with progress on stderr; Ctrl-C ends the job's process. */
export async function runJob<M extends keyof KernelHostApi>(method: M, params: Parameters<KernelHostApi[M]>[0]): Promise<Awaited<ReturnType<KernelHostApi[M]>>> {
  const verbose = process.argv.includes('--verbose');
  client ??= new KernelHostClient({
    entry: path.join(__dirname, 'kernel-host.js'),
    log: verbose ? (line) => process.stderr.write(`${line}\n`) : undefined,
  });
  const progress = new ProgressLine(process.stderr);
  const interrupt = new AbortController();
  const onInterrupt = (): void => interrupt.abort();
  process.once('SIGINT', onInterrupt);
  try {
    return (await client.call(method, params, { onProgress: (p) => progress.show(p), signal: interrupt.signal })) as Awaited<ReturnType<KernelHostApi[M]>>;
  } finally {
    process.removeListener('SIGINT', onInterrupt);
    progress.clear();
  }
}

export function closeHost(): void {
  client?.dispose();
}
