import type * as vscode from 'vscode';
import type { PageEvent } from '../core/protocol/webview';
import type { Reply, Request, RpcFailure, RpcInterface } from '../core/protocol/rpc';
import { withoutStack } from './failure';

/** The extension's end of the wire to one page: answers its requests and sends it events. */
export class PageChannel<Events> implements vscode.Disposable {
  private readonly subscription: vscode.Disposable;
  private closed = false;

  /** @param report logs a failure and gives it in the form in which it travels. */
  constructor(private readonly webview: vscode.Webview, handlers: RpcInterface<object>, report: (what: string, error: unknown) => RpcFailure) {
    const methods = handlers as Record<string, (params: unknown) => Promise<unknown>>;
    this.subscription = webview.onDidReceiveMessage(async (request: Request) => {
      const reply = (content: Pick<Reply, 'ok' | 'err'>): void => this.post({ type: 'reply', id: request.id, ...content });
      try {
        if (!Object.hasOwn(methods, request.method)) throw new Error(`The page asked for "${request.method}", which there is not.`);
        reply({ ok: await methods[request.method](request.params) });
      } catch (error) {
        reply({ err: withoutStack(report(request.method, error)) });
      }
    });
  }

  send<E extends keyof Events & string>(name: E, data: Events[E]): void {
    this.post({ type: 'event', name, data });
  }

  dispose(): void {
    this.closed = true;
    this.subscription.dispose();
  }

  private post(message: Reply | PageEvent): void {
    // A webview that was closed meanwhile throws when it is written to.
    if (!this.closed) void this.webview.postMessage(message);
  }
}
