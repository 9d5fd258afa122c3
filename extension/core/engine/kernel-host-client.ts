import { fork, type ChildProcess } from 'node:child_process';
import type { KernelHostApi } from '../protocol/kernel-host';
import { RpcError, type ProgressEvent, type Reply, type ReportProgress, type Request } from '../protocol/rpc';

export interface KernelHostOptions {
  /** The kernel host's entry: the bundled kernel-host.js. */
  readonly entry: string;
  /** Extra arguments for Node itself (tests run the TypeScript source through a loader). */
  readonly execArgv?: readonly string[];
  /** Receives what the child prints. */
  readonly log?: (line: string) => void;
}
export interface CallOptions { readonly onProgress?: ReportProgress; readonly signal?: AbortSignal }

/** What a child gets to end by itself. */
const GRACE_MS = 1000;

interface PendingCall {
  readonly method: string;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: RpcError) => void;
  readonly onProgress?: ReportProgress;
}

/**
 * Runs jobs in the kernel host, a forked process that is started on the first call and again on the first call after it ended.
 * A crash or a kill rejects the running calls and nothing else; aborting a call kills the process, which is what cancels native work.
 */
export class KernelHostClient {
  private child: ChildProcess | undefined;
  private readonly pending = new Map<number, PendingCall>();
  private nextId = 1;

  constructor(private readonly options: KernelHostOptions) {}

  get pid(): number | undefined {
    return this.child?.pid;
  }

  call<M extends keyof KernelHostApi>(method: M, params: Parameters<KernelHostApi[M]>[0], options: CallOptions = {}): ReturnType<KernelHostApi[M]> {
    const { signal, onProgress } = options;
    const promise = new Promise<unknown>((resolve, reject) => {
      if (signal?.aborted) return reject(cancelled());
      const id = this.nextId++;
      const abort = (): void => {
        this.pending.delete(id);
        reject(cancelled());
        this.kill();
      };
      signal?.addEventListener('abort', abort, { once: true });
      const settle = <T>(fn: (value: T) => void) => (value: T): void => {
        signal?.removeEventListener('abort', abort);
        fn(value);
      };
      this.pending.set(id, { method, resolve: settle(resolve), reject: settle(reject), onProgress });
      const request: Request = { type: 'request', id, method, params };
      const child = this.start();
      child.send(request, (error) => {
        if (error) this.failAll(child, `could not be reached (${error.message})`);
      });
    });
    return promise as ReturnType<KernelHostApi[M]>;
  }

  /** Ends the child, which removes what it has half written; by force where native work keeps it from doing so. The next call starts a new one. */
  kill(): void {
    const { child } = this;
    if (!child) return;
    const force = setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
    child.once('exit', () => clearTimeout(force));
    child.kill('SIGTERM');
    this.failAll(child, 'was ended');
  }

  dispose(): void {
    this.kill();
  }

  private start(): ChildProcess {
    if (this.child) return this.child;
    const child = fork(this.options.entry, [], {
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      execArgv: [...(this.options.execArgv ?? [])],
      // In a desktop VS Code the parent is Electron, which must be told to behave as Node.
      env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' },
    });
    this.child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => this.options.log?.(text.trimEnd()));
    }
    child.on('message', (message: Reply | ProgressEvent) => this.receive(message));
    child.on('error', (error) => this.failAll(child, `could not be started (${error.message})`));
    child.on('exit', (code, signal) => this.failAll(child, signal ? `was ended by ${signal}` : `ended with exit code ${code}`));
    return child;
  }

  private receive(message: Reply | ProgressEvent): void {
    const call = this.pending.get(message.id);
    if (!call) return;
    if (message.type === 'progress') return call.onProgress?.(message.progress);
    this.pending.delete(message.id);
    if (message.err) call.reject(new RpcError(message.err));
    else call.resolve(message.ok);
  }

  private failAll(child: ChildProcess, what: string): void {
    if (this.child !== child) return;
    this.child = undefined;
    const calls = [...this.pending.values()];
    this.pending.clear();
    for (const call of calls) {
      call.reject(new RpcError({
        kind: 'crashed',
        message: `The kernel host ${what} while it ran "${call.method}".`,
        hint: 'Nothing was lost: no file is changed until it is complete. Try again; it starts afresh.',
      }));
    }
  }
}

function cancelled(): RpcError {
  return new RpcError({ kind: 'cancelled', message: 'The work was cancelled before it was done.' });
}
