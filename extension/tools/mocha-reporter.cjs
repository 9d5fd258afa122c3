// mocha's "spec" output, and the counts as JSON in the file of `--reporter-option results=FILE`, for the sum that `npm test` prints.
const { mkdirSync, writeFileSync } = require('node:fs');
const path = require('node:path');
const { reporters } = require('mocha');

module.exports = class SpecWithCounts extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const file = options.reporterOptions?.results ?? options.reporterOption?.results;
    runner.once('end', () => {
      const { passes, failures, pending, duration } = this.stats;
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, JSON.stringify({ passed: passes, failed: failures, skipped: pending, seconds: duration / 1000 }));
    });
  }
};
