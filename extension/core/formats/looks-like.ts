import { isUtf8 } from 'node:buffer';

/** Kinds of files that people meet where model weights are expected. */
export type ContentKind = 'empty' | 'pytorch-zip' | 'pytorch-legacy' | 'onnx' | 'sharded-index' | 'git-lfs' | 'text' | 'other';

export interface ContentGuess {
  readonly kind: ContentKind;
  /** With its article, for a sentence: "a PNG image". */
  readonly description: string;
}

/** First bytes of a format: [offset, bytes, description]. */
const SIGNATURES: readonly (readonly [offset: number, bytes: string, description: string])[] = [
  [0, '\x89PNG\r\n\x1a\n', 'a PNG image'],
  [0, '\xff\xd8\xff', 'a JPEG image'],
  [0, 'GIF8', 'a GIF image'],
  [0, '%PDF-', 'a PDF document'],
  [0, '\x1f\x8b', 'a gzip archive'],
  [0, 'BZh', 'a bzip2 archive'],
  [0, '\xfd7zXZ\0', 'an xz archive'],
  [0, '\x28\xb5\x2f\xfd', 'a zstd archive'],
  [0, '7z\xbc\xaf\x27\x1c', 'a 7-Zip archive'],
  [257, 'ustar', 'a tar archive'],
  [0, '\x89HDF\r\n\x1a\n', 'an HDF5 file'],
  [0, '\x93NUMPY', 'a NumPy array'],
  [0, 'GGUF', 'a GGUF model'],
  [0, '\x7fELF', 'a Linux program'],
  [0, 'MZ', 'a Windows program'],
  [4, 'TFL3', 'a TensorFlow Lite model'],
];
/** How much of a file lookLike wants to see. */
export const LOOK_BYTES = 512;

/** Says what a file looks like from its first bytes (up to LOOK_BYTES) and its name; null for safetensors and when nothing fits. */
export function looksLike(head: Uint8Array, path: string): ContentGuess | null {
  if (head.length === 0) {
    return { kind: 'empty', description: 'an empty file' };
  }
  if (startsSafetensors(head)) {
    return null;
  }
  const name = path.toLowerCase();
  const text = Buffer.from(head.buffer, head.byteOffset, head.length).toString('latin1');
  if (text.startsWith('PK\x03\x04') || text.startsWith('PK\x05\x06')) {
    const pytorch = text.includes('data.pkl') || /\.(ckpt|pt|pth|bin)$/.test(name);
    return pytorch ? { kind: 'pytorch-zip', description: 'a PyTorch checkpoint' } : { kind: 'other', description: 'a ZIP archive' };
  }
  if (/^\x80[\x02-\x05]/.test(text) && (text.includes('\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19') || /\.(ckpt|pt|pth|bin|pkl|pickle)$/.test(name))) {
    return { kind: 'pytorch-legacy', description: 'a PyTorch checkpoint or pickle' };
  }
  for (const [offset, bytes, description] of SIGNATURES) {
    if (text.startsWith(bytes, offset)) {
      return { kind: 'other', description };
    }
  }
  if (text.startsWith('version https://git-lfs')) {
    return { kind: 'git-lfs', description: 'a Git LFS pointer, which stands for a file that was not downloaded' };
  }
  // An ONNX ModelProto starts with field 1, ir_version, a small number.
  if (name.endsWith('.onnx') || /^\x08[\x03-\x20][\x12\x3a\x42]/.test(text)) {
    return { kind: 'onnx', description: 'an ONNX model' };
  }
  return looksLikeText(head, text, name);
}

/**
 * A header length with three zero bytes at its end, then JSON. Decided before the signatures below, because a length may happen to
 * have the bytes of one.
 */
function startsSafetensors(head: Uint8Array): boolean {
  const first = head.subarray(8).find((byte) => byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09);
  return first === 0x7b && head[5] === 0 && head[6] === 0 && head[7] === 0;
}

function looksLikeText(head: Uint8Array, text: string, name: string): ContentGuess | null {
  // The cut after LOOK_BYTES may fall into a character of up to 4 bytes.
  const whole = head.length < LOOK_BYTES ? [head] : [0, 1, 2, 3].map((cut) => head.subarray(0, head.length - cut));
  if (/[\0-\x08\x0e-\x1a\x1c-\x1f]/.test(text) || !whole.some((part) => isUtf8(part))) {
    return null;
  }
  if (name.endsWith('.index.json') && text.trimStart().startsWith('{')) {
    return { kind: 'sharded-index', description: 'the index of a model in several files' };
  }
  if (/^\s*<(!doctype html|html)/i.test(text)) {
    return { kind: 'text', description: 'a web page' };
  }
  if (/^\s*[[{]/.test(text)) {
    return { kind: 'text', description: 'a JSON or text file' };
  }
  if (/^\s*>[^\n]*\n[A-Za-z*\-\s]+/.test(text)) {
    return { kind: 'text', description: 'a FASTA sequence file' };
  }
  return { kind: 'text', description: 'a text file' };
}
