import { UserError } from '../core/errors';
import { RpcError } from '../core/protocol/rpc';
import type { RpcFailure } from '../core/protocol/rpc';

/** Any thrown value as a failure that can travel to a page. */
export function failureOf(error: unknown): RpcFailure {
  if (error instanceof RpcError) return { kind: error.kind, message: error.message, hint: error.hint, stack: error.stack };
  if (error instanceof UserError) return { kind: 'user', message: error.message, hint: error.hint };
  if (error instanceof Error) return { kind: 'internal', message: error.message, stack: error.stack };
  return { kind: 'internal', message: String(error) };
}

/** A failure as pages get it: stacks stay in the log. */
export const withoutStack = ({ kind, message, hint }: RpcFailure): RpcFailure => ({ kind, message, hint });
