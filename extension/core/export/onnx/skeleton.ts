import { UserError } from '../../errors';
import { tensorBytes } from '../../formats/onnx/parse-tensor';
import type { OnnxFile } from '../../formats/onnx/read';
import { copyPatched, type Edit, encodeField, patches } from '../../formats/onnx/splice';
import type { OnnxTensor } from '../../formats/onnx/structure';
import { tensorType } from '../../graph/builder';
import type { DenseSessions } from '../../graph/dense-sessions';
import { onnx } from '../../graph/onnx';

/** Tensors of more bytes than this are left out: shapes, axes and factors stay. */
const KEPT_BYTES = 1 << 12;

/**
 * Throws UserError where ONNX Runtime does not load a written model although it loads the source. It is given the files' own bytes but for large
 * tensors, which become inputs, so that this takes no memory for them.
 */
export async function refuseUnloadable(source: OnnxFile, written: OnnxFile, sessions: DenseSessions): Promise<void> {
  const failure = await loadFailure(written, sessions);
  if (failure && !(await loadFailure(source, sessions))) throw failure;
}

async function loadFailure(file: OnnxFile, sessions: DenseSessions): Promise<UserError | undefined> {
  try {
    await (await sessions.create(await skeleton(file), { asIs: true })).dispose();
    return undefined;
  } catch (cause) {
    if (cause instanceof UserError) return cause;
    throw cause;
  }
}

/** The model with inputs in place of the main graph's large tensors and of Constant nodes that hold one. */
async function skeleton(file: OnnxFile): Promise<Uint8Array> {
  const { graph } = file.structure;
  const declared = new Set(graph.inputs.map(({ name }) => name));
  const replaced = (name: string, tensor: OnnxTensor, start: number, end: number): Edit => {
    const value = onnx.ValueInfoProto.encode({ name, type: tensorType(tensor.type, tensor.dims) }).finish();
    return { parent: graph.span, start, end, bytes: declared.has(name) ? new Uint8Array(0) : encodeField(11, value) };
  };
  const large = (tensor: OnnxTensor | undefined): tensor is OnnxTensor => tensor !== undefined && tensorBytes(tensor) > KEPT_BYTES;
  const edits = [...graph.initializers.values()].filter(large).map((tensor) => replaced(tensor.name, tensor, tensor.span.fieldStart, tensor.span.end));
  for (const { op, domain, span, outputs, attributes } of graph.nodes) {
    const tensor = op === 'Constant' && domain === '' ? attributes.get('value')?.tensor : undefined;
    if (large(tensor)) edits.push(replaced(outputs[0], tensor, span.fieldStart, span.end));
  }
  const parts: Uint8Array[] = [];
  const write = async (bytes: Uint8Array): Promise<void> => { parts.push(Uint8Array.from(bytes)); };
  await copyPatched(file.path, patches(edits), { write, place: write });
  return Buffer.concat(parts);
}
