// What every script here needs; imports nothing outside Node, since scripts may run before `npm ci`.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
export const dist = path.join(root, 'dist');
export const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
/** The published HyenaDNA layout, trained for this project on E. coli K-12; not a published model. */
export const sample = path.join(root, 'test/fixtures/samples/hyenadna-tiny-1k-ecoli');

/** Runs a command with its output shown, from the repository's root; throws a one-sentence error when it fails. */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit', shell: process.platform === 'win32', ...options });
  if (result.error?.code === 'ENOENT') {
    throw new Error(`\`${command}\` is not installed, and it is needed.`);
  }
  if (result.status !== 0) {
    throw new Error(`\`${[command, ...args].join(' ')}\` failed (${result.signal ?? `exit code ${result.status}`}).`);
  }
}

/** Runs one of the repository's scripts with this Node. */
export function runScript(file, args = [], options = {}) {
  run(process.execPath, [file, ...args], { shell: false, ...options });
}

/** `npm ci`, unless the locked packages are there already. */
export function ensureDependencies() {
  if (!existsSync(path.join(root, 'node_modules/.package-lock.json'))) {
    console.log('Installing the npm packages of package-lock.json ...');
    run('npm', ['ci']);
  }
}

/** Ends a script: the message without a stack, exit code 1. */
export function fail(error) {
  console.error(`\n${error instanceof Error ? error.message : error}`);
  process.exit(1);
}

export function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(bytes < 1e6 ? 3 : 1)} MB`;
}
