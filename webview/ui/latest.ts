/**
 * Sends at most one request at a time and always the newest: while one is under way, only the last of those asked for meanwhile
 * is kept. Keeps a drag fluid however slow the answers are, and never shows an old answer after a new one.
 */
export function latest<P, R>(run: (params: P) => Promise<R>, done: (result: R, params: P) => void, failed: (error: unknown) => void): (params: P) => void {
  let busy = false;
  let next: { params: P } | undefined;
  const start = async (params: P): Promise<void> => {
    busy = true;
    try {
      done(await run(params), params);
    } catch (error) {
      failed(error);
    }
    busy = false;
    if (next) {
      const { params: newest } = next;
      next = undefined;
      void start(newest);
    }
  };
  return params => {
    if (busy) next = { params };
    else void start(params);
  };
}
