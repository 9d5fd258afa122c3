import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
export const repositoryRoot = path.resolve(__dirname, '../../..');

/** Which VS Code the tests run in: today's, or the oldest that package.json's `engines.vscode` promises. */
export type EditorAge = 'newest' | 'oldest';
const CODE_SERVER = { newest: '4.139.1', oldest: '4.100.3' } as const;
/** code-server 4.139 needs Node 24; 4.100 runs on the Node 20 that the repository itself asks for. */
const NODE_FOR_NEWEST = '24.21.0';

export interface EditorInstallation {
  readonly age: EditorAge;
  /** Node that runs the server and therefore the extension host. */
  readonly node: string;
  /** code-server's entry script. */
  readonly entry: string;
}

interface Step {
  readonly name: string;
  readonly folder: string;
  readonly command: readonly string[];
  /** Removed before the step is tried again: npm cannot continue a half-made tree. */
  readonly clears?: string;
}

/** `LONGCONV_EDITOR=oldest` chooses the old engine, anything else the newest. */
export function chosenAge(): EditorAge {
  return process.env.LONGCONV_EDITOR === 'oldest' ? 'oldest' : 'newest';
}

/**
 * A VS Code server with what it needs under `.editor/<age>`, from the npm registry alone. Every finished step leaves a
 * marker that names its command, so a second call is immediate, an interrupted one continues, and new pins reinstall.
 */
export async function installEditor(age: EditorAge = chosenAge(), say: (line: string) => void = console.log): Promise<EditorInstallation> {
  if (process.platform === 'win32') {
    throw new Error('The test editor (code-server) runs on Linux and macOS only; on Windows run `npm run package` and install the .vsix into VS Code.');
  }
  const folder = path.join(repositoryRoot, '.editor', age);
  const nodeFolder = path.join(folder, 'node');
  const serverFolder = path.join(folder, 'server');
  const node = age === 'newest' ? path.join(nodeFolder, 'node_modules/.bin/node') : process.execPath;
  const steps = age === 'newest' ? newestSteps(nodeFolder, serverFolder) : oldestSteps(serverFolder);
  const started = Date.now();
  let worked = false;
  for (const step of steps) {
    const marker = path.join(folder, `${step.name}.done`);
    const signature = step.command.join(' ');
    if (existsSync(marker) && (await readFile(marker, 'utf8')) === signature) {
      continue;
    }
    if (!worked) {
      say(`Installing the test editor (code-server ${CODE_SERVER[age]}) into .editor/${age}, once ...`);
      worked = true;
    }
    say(`  ${step.name}: ${signature}`);
    await perform(step, path.dirname(node));
    await writeFile(marker, signature);
  }
  if (worked) {
    say(`  done in ${((Date.now() - started) / 1000).toFixed(0)} s`);
  }
  return { age, node, entry: path.join(serverFolder, 'node_modules/code-server/out/node/entry.js') };
}

function newestSteps(nodeFolder: string, serverFolder: string): readonly Step[] {
  const vscode = path.join(serverFolder, 'node_modules/code-server/lib/vscode');
  return [
    // Its own folder: npm would remove it when it installs code-server beside it without scripts.
    { name: 'node', folder: nodeFolder, command: ['install', `node@${NODE_FOR_NEWEST}`], clears: 'node_modules' },
    // Without scripts: post-installs compile modules that are only needed for desktop log-ins, terminals and log files.
    { name: 'code-server', folder: serverFolder, command: ['install', `code-server@${CODE_SERVER.newest}`, '--ignore-scripts'], clears: 'node_modules' },
    { name: 'workbench', folder: vscode, command: ['install', '--omit=dev', '--ignore-scripts'], clears: 'node_modules' },
    { name: 'built-in-extensions', folder: path.join(vscode, 'extensions'), command: ['install', '--omit=dev', '--ignore-scripts'], clears: 'node_modules' },
  ];
}

function oldestSteps(serverFolder: string): readonly Step[] {
  const vscode = path.join(serverFolder, 'node_modules/code-server/lib/vscode');
  return [
    { name: 'code-server', folder: serverFolder, command: ['install', `code-server@${CODE_SERVER.oldest}`, '--ignore-scripts'], clears: 'node_modules' },
    { name: 'password-hash', folder: serverFolder, command: ['rebuild', 'argon2'] },
    { name: 'workbench', folder: vscode, command: ['install', '--omit=dev', '--ignore-scripts'], clears: 'node_modules' },
    { name: 'log-writer', folder: vscode, command: ['rebuild', '@vscode/spdlog', 'native-watchdog', '@parcel/watcher'] },
  ];
}

async function perform(step: Step, nodeBin: string): Promise<void> {
  await mkdir(step.folder, { recursive: true });
  if (!existsSync(path.join(step.folder, 'package.json'))) {
    await writeFile(path.join(step.folder, 'package.json'), '{ "private": true }\n');
  }
  if (step.clears) {
    await rm(path.join(step.folder, step.clears), { recursive: true, force: true });
  }
  try {
    await run('npm', [...step.command], { cwd: step.folder, env: npmEnvironment(nodeBin), maxBuffer: 64 << 20 });
  } catch (error) {
    const output = (error as { stderr?: string }).stderr?.trim().split('\n').slice(-12).join('\n') ?? String(error);
    throw new Error(`The test editor could not be installed: \`npm ${step.command.join(' ')}\` failed in ${step.folder}:\n${output}`, { cause: error });
  }
}

/** The environment less what an outer `npm run` says about this repository: it would steer the inner npm to it. */
function npmEnvironment(nodeBin: string): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env).filter(([name]) => !/^npm_(package|lifecycle|config_local_prefix|config_prefix|config_omit)/.test(name) && name !== 'INIT_CWD');
  return { ...Object.fromEntries(entries), PATH: `${nodeBin}${path.delimiter}${process.env.PATH ?? ''}` };
}
