// mocha's "spec" output, and the counts and failures as JSON in the file of `--reporter-option results=FILE`, for the summary that `npm test` prints.
const { mkdirSync, writeFileSync } = require('node:fs');
const path = require('node:path');
const { reporters } = require('mocha');

module.exports = class SpecWithCounts extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const file = options.reporterOptions?.results ?? options.reporterOption?.results;
    const failed = [];
    runner.on('fail', (test, error) => failed.push(`${test.fullTitle()}: ${String(error?.message ?? error).split('\n')[0].slice(0, 300)}`));
    runner.once('end', () => {
      const { passes, failures, pending, duration } = this.stats;
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, JSON.stringify({ passed: passes, failed: failures, skipped: pending, seconds: duration / 1000, failures: failed }));
    });
  }
};
