/**
 * Sends at most one request at a time and always the newest: while one is under way, only the last of those asked for meanwhile
 * is kept. Keeps a drag fluid however slow the answers are, and never shows an old answer after a new one.
 *
 * @returns what asks; its promise never rejects, and resolves once nothing is under way any more.
 */
export function latest<P, R>(run: (params: P) => Promise<R>, done: (result: R, params: P) => void, failed: (error: unknown) => void): (params: P) => Promise<void> {
  let next: { params: P } | undefined;
  let underWay: Promise<void> | undefined;
  const work = async (): Promise<void> => {
    while (next) {
      const { params } = next;
      next = undefined;
      try {
        done(await run(params), params);
      } catch (error) {
        failed(error);
      }
    }
    underWay = undefined;
  };
  return params => {
    next = { params };
    underWay ??= work();
    return underWay;
  };
}
