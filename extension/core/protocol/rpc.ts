/**
 * One typed request/reply idiom for every boundary (webview <-> extension, extension or CLI <-> kernel host). Replies are
 * {ok} or {err}, so a failure always travels; progress events carry the id of the request they belong to.
 */
export interface Request { readonly type: 'request'; readonly id: number; readonly method: string; readonly params: unknown }
export interface Reply { readonly type: 'reply'; readonly id: number; readonly ok?: unknown; readonly err?: RpcFailure }
export interface ProgressEvent { readonly type: 'progress'; readonly id: number; readonly progress: Progress }
export interface RpcFailure {
  /** 'user': an error the user can act on; 'cancelled'; 'crashed': the process on the other side ended; 'internal': a bug. */
  readonly kind: 'user' | 'cancelled' | 'crashed' | 'internal';
  readonly message: string;
  readonly hint?: string;
  readonly stack?: string;
}
export interface Progress {
  /** What is being done now, e.g. "perplexity, masked: window 12 of 32". */
  readonly message: string;
  /** 0..1 over the whole job. */
  readonly fraction: number;
  /** What there is of the result so far, where a job shows it; each event carries all of it, so that none has to arrive. */
  readonly partial?: unknown;
}
export type ReportProgress = (progress: Progress) => void;

/** An interface of methods that take one params object and resolve to a cloneable value. */
export type RpcInterface<T> = { [K in keyof T]: (params: never) => Promise<unknown> };

/** The failure of a call, as the caller sees it. */
export class RpcError extends Error {
  readonly kind: RpcFailure['kind'];
  readonly hint?: string;
  constructor(failure: RpcFailure) {
    super(failure.message);
    this.name = 'RpcError';
    this.kind = failure.kind;
    this.hint = failure.hint;
    if (failure.stack) this.stack = failure.stack;
  }
}
