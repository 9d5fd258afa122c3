import type { WriteStream } from 'node:tty';
import type { Progress } from '../core/protocol/rpc';

const BAR_WIDTH = 24;
const LINE_INTERVAL_MS = 2000;

/** A progress bar on a terminal; one line every two seconds anywhere else. */
export class ProgressLine {
  private lastLine = -Infinity;
  private shown = false;

  constructor(private readonly stream: WriteStream) {}

  show({ message, fraction }: Progress): void {
    const percent = `${Math.floor(100 * fraction)}%`.padStart(4);
    if (this.stream.isTTY) {
      const filled = Math.round(BAR_WIDTH * fraction);
      this.stream.write(`\r\x1b[2K${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)}${percent} ${message}`);
      this.shown = true;
    } else if (performance.now() - this.lastLine > LINE_INTERVAL_MS) {
      this.lastLine = performance.now();
      this.stream.write(`${percent} ${message}\n`);
    }
  }

  clear(): void {
    if (this.shown) this.stream.write('\r\x1b[2K');
  }
}
