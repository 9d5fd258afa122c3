import { stat } from 'node:fs/promises';
import * as path from 'node:path';
import type { KernelHostClient } from '../core/engine/kernel-host-client';
import { openTensorFile } from '../core/formats/open';
import type { TensorFile } from '../core/formats/tensor-file';
import { RpcError } from '../core/protocol/rpc';
import type { ViewerContent } from '../core/protocol/webview';
import { failureOf, withoutStack } from './failure';

/** What the viewer shows of a file: the model, or at least its tensors. Throws the model's own error when the file is not sound. */
export async function viewerContent(file: string, host: KernelHostClient): Promise<ViewerContent> {
  try {
    return { kind: 'model', model: await host.call('inspect', { model: file }) };
  } catch (error) {
    const content = error instanceof RpcError && error.kind === 'user' ? await tensorsOf(file, error) : undefined;
    if (!content) throw error;
    return content;
  }
}

/** Of all files of a model, in bytes. */
async function sizeOnDisk({ path: file, files }: TensorFile): Promise<number> {
  return (await Promise.all((files ?? [file]).map((part) => stat(part)))).reduce((sum, { size }) => sum + size, 0);
}

/** Reads the header only; undefined when it is not sound either. */
async function tensorsOf(file: string, why: RpcError): Promise<ViewerContent | undefined> {
  try {
    const opened = await openTensorFile(file);
    try {
      const tensors = [...opened.tensors.values()].map(({ name, dtype, shape, byteLength }) => ({ name, dtype, shape, bytes: byteLength }));
      return { kind: 'tensors', name: path.basename(file), bytes: await sizeOnDisk(opened), tensors, why: withoutStack(failureOf(why)) };
    } finally {
      await opened.close();
    }
  } catch {
    // The model's own error, which the caller shows, says why.
    return undefined;
  }
}
