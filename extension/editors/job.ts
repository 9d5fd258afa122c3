import type { JobState } from '../core/protocol/webview';
import type { ReportProgress, RpcFailure } from '../core/protocol/rpc';
import { withoutStack } from './failure';
import type { InterruptedJob } from './interrupted-job';

/** Progress reaches the pages at most this often, in milliseconds. */
const PROGRESS_INTERVAL = 100;

/** The state of a long job, kept for pages that come and go. */
export class Job<T> {
  state: JobState<T> = { state: 'idle' };
  private busy = false;

  /** @param marker tells a later window that the job was running when this one closed. */
  constructor(private readonly onChange: (state: JobState<T>) => void, private readonly marker?: InterruptedJob) {
    const failure = marker?.failure;
    if (failure) this.state = { state: 'failed', failure };
  }

  get running(): boolean {
    return this.busy;
  }

  /** Runs to the end and never rejects: a failure becomes the job's state. */
  async run(work: (progress: ReportProgress) => Promise<T>, report: (error: unknown) => RpcFailure): Promise<void> {
    this.busy = true;
    try {
      // Before anybody sees the job running: a window that is closed from then on is one that interrupts it.
      await this.marker?.begin();
      const started = Date.now();
      let sent = 0;
      this.set({ state: 'running', progress: { message: 'Starting …', fraction: 0 }, started });
      const result = await work(progress => {
        if (Date.now() - sent < PROGRESS_INTERVAL) return;
        sent = Date.now();
        this.set({ state: 'running', progress, started });
      });
      this.set({ state: 'done', result, seconds: (Date.now() - started) / 1000 });
    } catch (error) {
      this.set({ state: 'failed', failure: withoutStack(report(error)) });
    } finally {
      this.busy = false;
      await this.marker?.end();
    }
  }

  private set(state: JobState<T>): void {
    this.state = state;
    this.onChange(state);
  }
}
