import type { Engine } from '../core/engine/engine';
import type { DenseSessions } from '../core/graph/dense-sessions';
import { loadEngine } from './addon';
import { OpenModels } from './models';
import { OnnxSessions } from './onnx-sessions';

/** What lives as long as the process: the native engine, ONNX Runtime and the open models. */
export interface Host { readonly engine: Engine; readonly sessions: DenseSessions; readonly models: OpenModels }

let current: Host | undefined;

/** Loaded on the first job, so that a missing addon is reported to whoever asks for work. */
export function host(): Host {
  if (!current) {
    const engine = loadEngine();
    const sessions = new OnnxSessions();
    current = { engine, sessions, models: new OpenModels(engine, sessions) };
  }
  return current;
}
