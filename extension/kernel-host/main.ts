import { UserError } from '../core/errors';
import { removeUnfinished } from '../core/io/unfinished';
import type { ProgressEvent, Reply, ReportProgress, Request, RpcFailure } from '../core/protocol/rpc';
import { jobs } from './jobs';

/** Entry of the kernel host: answers the requests of one parent over the IPC channel until that channel closes. */
const PROGRESS_INTERVAL_MS = 80;

function send(message: Reply | ProgressEvent): void {
  if (process.connected) process.send?.(message);
}

/** Keeps a fast loop from flooding the channel: the newest progress goes out at most every PROGRESS_INTERVAL_MS. */
function progressSender(id: number): ReportProgress {
  let last = 0;
  return (progress) => {
    const now = performance.now();
    if (now - last < PROGRESS_INTERVAL_MS && progress.fraction < 1) return;
    last = now;
    send({ type: 'progress', id, progress });
  };
}

function failure(error: unknown): RpcFailure {
  if (error instanceof UserError) return { kind: 'user', message: error.message, hint: error.hint, stack: error.stack };
  if (error instanceof Error) return { kind: 'internal', message: error.message, stack: error.stack };
  return { kind: 'internal', message: String(error) };
}

async function answer(request: Request): Promise<void> {
  const job = (jobs as Record<string, (params: unknown, progress: ReportProgress) => Promise<unknown>>)[request.method];
  try {
    if (!job) throw new Error(`The kernel host has no job "${request.method}".`);
    send({ type: 'reply', id: request.id, ok: await job(request.params, progressSender(request.id)) });
  } catch (error) {
    send({ type: 'reply', id: request.id, err: failure(error) });
  }
}

process.on('message', (request: Request) => void answer(request));
process.on('disconnect', end);
// A terminal sends Ctrl-C to the parent and to this process.
process.on('SIGINT', end);
process.on('SIGTERM', end);

/** Nothing half written stays. By force, because an orderly exit would wait for native threads. */
function end(): void {
  removeUnfinished();
  process.kill(process.pid, 'SIGKILL');
}
