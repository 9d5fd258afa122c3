import { appendFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { format } from 'node:util';
import Mocha from 'mocha';

/**
 * What VS Code calls inside the extension host: runs every bundled *.test.js beside this file and rejects when one fails. mocha's lines go
 * to a file: the host's console is mixed with what the workbench logs.
 */
export async function run(): Promise<void> {
  const transcript = process.env.LONGCONV_TEST_TRANSCRIPT;
  if (!transcript) {
    throw new Error('The tests inside the extension host are started by test/integration/run.ts.');
  }
  Mocha.reporters.Base.consoleLog = (...values) => appendFileSync(transcript, `${format(...values)}\n`);
  const mocha = new Mocha({
    timeout: 60_000,
    forbidOnly: true,
    forbidPending: true,
    reporter: process.env.LONGCONV_TEST_REPORTER,
    reporterOptions: { results: process.env.LONGCONV_TEST_RESULTS },
  });
  for (const file of readdirSync(__dirname).filter((name) => name.endsWith('.test.js')).sort()) {
    mocha.addFile(path.join(__dirname, file));
  }
  const failures = await new Promise<number>((resolve) => mocha.run(resolve));
  if (failures > 0) {
    throw new Error(`${failures} of the tests inside the extension host failed.`);
  }
}
