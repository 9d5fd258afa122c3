import type { Refuse } from './refusal';

/** Memory of a file's objects beyond the size of the file itself: what a small checkpoint of many small objects needs. */
const ALLOWANCE = 32 << 20;

/**
 * Bounds the memory that a pickle can ask for: a byte of it can stand for a container of hundreds. Sizes are estimates of what
 * Node needs, on the high side.
 */
export class Budget {
  private left: number;

  constructor(fileSize: number, private readonly refuse: Refuse) {
    this.left = ALLOWANCE + fileSize;
  }

  /** Charges `bytes` for an object that the instruction at file offset `at` makes. */
  charge(bytes: number, at: number): void {
    this.left -= bytes;
    if (this.left < 0) {
      this.refuse(at, 'the pickle asks for far more memory than its file has bytes', 'This is not a file that PyTorch wrote.');
    }
  }
}
