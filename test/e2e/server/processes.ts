import { execFileSync } from 'node:child_process';

/** Process ids of the kernel hosts that run from a folder (the extension's installation in one test's profile), oldest first. */
export function kernelHosts(folder: string): number[] {
  return execFileSync('ps', ['-A', '-o', 'pid=,args='], { encoding: 'utf8' }).split('\n')
    .filter((line) => line.includes(folder) && /kernel-host\.js\s*$/.test(line))
    .map((line) => Number.parseInt(line, 10))
    .sort((a, b) => a - b);
}
