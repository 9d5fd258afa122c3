import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { installEditor, repositoryRoot } from './installation';

export interface EditorOptions {
  /** From `newRunFolder`: where the run's profile and logs stay. */
  readonly runFolder: string;
  /** Extension to install into the fresh profile; without it only built-in extensions (and a development path) are there. */
  readonly vsix?: string;
  /** Honours the development and test paths of the page's address, and suppresses notifications: only for tests inside the extension host. */
  readonly smokeTestDriver?: boolean;
  readonly environment?: Readonly<Record<string, string>>;
  /** Added to the quiet defaults. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

export interface RunningEditor {
  /** http://127.0.0.1:PORT: webviews need a secure context, which only loopback is without a certificate. */
  readonly origin: string;
  readonly runFolder: string;
  /** User settings; the workbench follows changes of the file. */
  readonly settingsFile: string;
  /** Ends the server and everything it started. */
  stop(): Promise<void>;
}

/** No first-run pages, no trust question, no updates: what is on screen is the extension's. */
const QUIET_SETTINGS = {
  'workbench.startupEditor': 'none',
  'security.workspace.trust.enabled': false,
  'telemetry.telemetryLevel': 'off',
  'extensions.autoUpdate': false,
  'extensions.autoCheckUpdates': false,
  'extensions.ignoreRecommendations': true,
  'update.mode': 'none',
  'workbench.enableExperiments': false,
  'workbench.tips.enabled': false,
  'chat.disableAIFeatures': true,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'git.enabled': false,
  'files.autoSave': 'off',
  'window.restoreWindows': 'none',
};
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 5_000;

/** Starts a VS Code server on a free port with a profile of its own, installing the editor first when it is not there yet. */
export async function startEditor(options: EditorOptions): Promise<RunningEditor> {
  const installation = await installEditor();
  const { runFolder } = options;
  const profile = path.join(runFolder, 'profile');
  const settingsFile = path.join(profile, 'User/settings.json');
  await mkdir(path.dirname(settingsFile), { recursive: true });
  await writeFile(settingsFile, JSON.stringify({ ...QUIET_SETTINGS, ...options.settings }, null, 2));

  const port = await freePort();
  const configFile = path.join(runFolder, 'code-server.yaml');
  await writeFile(configFile, `bind-addr: 127.0.0.1:${port}\nauth: none\ncert: false\n`);
  // In the system's temporary folder: a socket's path may have 107 characters at most.
  const socket = path.join(tmpdir(), `longconv-editor-${process.pid}-${port}.sock`);
  const base = [
    installation.entry, '--config', configFile, '--user-data-dir', profile, '--extensions-dir', path.join(runFolder, 'extensions'),
  ];
  const environment = {
    ...process.env,
    ...options.environment,
    PATH: `${path.dirname(installation.node)}${path.delimiter}${process.env.PATH ?? ''}`,
    XDG_CONFIG_HOME: path.join(runFolder, 'xdg/config'),
    XDG_DATA_HOME: path.join(runFolder, 'xdg/data'),
    XDG_CACHE_HOME: path.join(runFolder, 'xdg/cache'),
    EXTENSIONS_GALLERY: JSON.stringify({ serviceUrl: '', itemUrl: '', resourceUrlTemplate: '', controlUrl: '', recommendationsUrl: '' }),
  };
  if (options.vsix) {
    const installed = spawnSync(installation.node, [...base, '--install-extension', options.vsix], { env: environment, encoding: 'utf8' });
    if (installed.status !== 0) {
      throw new Error(`The editor refused ${options.vsix}: ${installed.stdout}${installed.stderr}`);
    }
  }
  const logFile = path.join(runFolder, 'server.log');
  const child = spawn(installation.node, [
    ...base, '--bind-addr', `127.0.0.1:${port}`, '--session-socket', socket, '--auth', 'none', '--disable-telemetry', '--disable-update-check',
    '--disable-workspace-trust', '--disable-getting-started-override', '--disable-proxy',
    // VS Code 1.100 obeys the test paths without it and does not know the flag.
    ...(options.smokeTestDriver && installation.age === 'newest' ? ['--vscode-option', 'enable-smoke-test-driver'] : []),
  ], { env: environment, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const log = createWriteStream(logFile);
  child.stdout.pipe(log);
  child.stderr.pipe(log);
  const endWithUs = (): void => killGroup(child, 'SIGKILL');
  process.once('exit', endWithUs);

  const stop = async (): Promise<void> => {
    process.removeListener('exit', endWithUs);
    await stopGroup(child);
    await rm(socket, { force: true });
  };
  const origin = `http://127.0.0.1:${port}`;
  try {
    await healthy(origin, child, logFile);
  } catch (error) {
    await stop();
    throw error;
  }
  return { origin, runFolder, settingsFile, stop };
}

/** A workspace folder inside the run's folder with a copy of the bundled sample model and its data, so that a test may write there. */
export async function sampleWorkspace(parent: string): Promise<string> {
  const folder = path.join(parent, 'workspace');
  await mkdir(folder, { recursive: true });
  await cp(path.join(repositoryRoot, 'test/fixtures/samples/hyenadna-tiny-1k-ecoli'), folder, { recursive: true });
  return folder;
}

/** A new folder under out/runs for one start of the editor. */
export async function newRunFolder(name: string): Promise<string> {
  const runs = path.join(repositoryRoot, 'out/runs');
  await mkdir(runs, { recursive: true });
  return mkdtemp(path.join(runs, `${name}-`));
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

async function healthy(origin: string, child: ChildProcess, logFile: string): Promise<void> {
  const end = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < end && child.exitCode === null && child.signalCode === null) {
    const answer = await fetch(`${origin}/healthz`).catch(() => undefined);
    if (answer?.ok) {
      return;
    }
    await sleep(100);
  }
  throw new Error(`The editor's server did not start:\n${await readFile(logFile, 'utf8').catch(() => '(no log)')}`);
}

async function stopGroup(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const exited = new Promise((resolve) => child.once('exit', resolve));
    killGroup(child, 'SIGTERM');
    await Promise.race([exited, sleep(STOP_TIMEOUT_MS)]);
  }
  // Whatever of the group outlived its leader.
  killGroup(child, 'SIGKILL');
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (child.pid !== undefined) {
      process.kill(-child.pid, signal);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') {
      throw error;
    }
  }
}
