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
}
export type ReportProgress = (progress: Progress) => void;

/** An interface of methods that take one params object and resolve to a cloneable value. */
export type RpcInterface<T> = { [K in keyof T]: (params: never) => Promise<unknown> };
