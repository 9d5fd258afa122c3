import type { PageEvent } from '../../extension/core/protocol/webview';
import type { Reply, Request, RpcFailure, RpcInterface } from '../../extension/core/protocol/rpc';

interface VsCodeApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}
declare function acquireVsCodeApi(): VsCodeApi;

/** A failure that came back from the extension host. */
export class PageError extends Error {
  constructor(readonly failure: RpcFailure) {
    super(failure.message);
    this.name = 'PageError';
  }
}

export const failureOf = (error: unknown): RpcFailure =>
  error instanceof PageError ? error.failure : { kind: 'internal', message: error instanceof Error ? error.message : String(error) };

/** The page's end of the wire: typed requests to the extension host, events from it, and the state that survives hiding. */
export class PageClient<Api extends RpcInterface<Api>, Events, State> {
  private readonly vscode = acquireVsCodeApi();
  private readonly waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  private readonly listeners = new Map<string, (data: never) => void>();
  private lastId = 0;

  constructor() {
    window.addEventListener('message', event => this.receive(event.data as Reply | PageEvent));
  }

  call<M extends keyof Api & string>(method: M, params: Parameters<Api[M]>[0]): ReturnType<Api[M]> {
    const request: Request = { type: 'request', id: ++this.lastId, method, params };
    const reply = new Promise((resolve: (value: never) => void, reject) => this.waiting.set(request.id, { resolve, reject }));
    this.vscode.postMessage(request);
    return reply as ReturnType<Api[M]>;
  }

  on<E extends keyof Events & string>(event: E, listener: (data: Events[E]) => void): void {
    this.listeners.set(event, listener as (data: never) => void);
  }

  /** Selection and zoom, not data: small enough to be kept for every hidden tab. */
  get state(): Partial<State> {
    return (this.vscode.getState() as Partial<State> | undefined) ?? {};
  }

  saveState(change: Partial<State>): void {
    this.vscode.setState({ ...this.state, ...change });
  }

  private receive(message: Reply | PageEvent): void {
    if (message.type === 'event') {
      this.listeners.get(message.name)?.(message.data as never);
    } else if (message.type === 'reply') {
      const call = this.waiting.get(message.id);
      this.waiting.delete(message.id);
      if (message.err) call?.reject(new PageError(message.err));
      else call?.resolve(message.ok as never);
    }
  }
}
