import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import * as path from 'node:path';
import type { FftwQuestion } from '../core/validation/bench/bench';

/** Where the build puts the program (native/bench/fftw_program.cpp), from the bundle and from the source. It is not part of the package. */
const PLACES = [path.join(__dirname, 'bench', 'longconv-fftw'), path.join(__dirname, '..', '..', 'dist', 'bench', 'longconv-fftw')];
/** More points of all rows than this take gigabytes. */
const MOST_POINTS = 2 ** 29;
const TIMEOUT_MS = 300_000;

/** Median milliseconds of FFTW on a shape, in a process of its own; undefined where the program or the library is not installed. */
export function fftwMs({ batch, channels, length, circular, gated, threads }: FftwQuestion): Promise<number | undefined> {
  const program = PLACES.find((place) => existsSync(place));
  if (program === undefined || batch * channels * length > MOST_POINTS) return Promise.resolve(undefined);
  const args = [batch, channels, length, threads].map(String).concat(circular ? ['circular'] : [], gated ? ['gated'] : []);
  return new Promise((resolve) => {
    execFile(program, args, { timeout: TIMEOUT_MS }, (error, stdout) => {
      const milliseconds = Number.parseFloat(stdout);
      resolve(error || !(milliseconds > 0) ? undefined : milliseconds);
    });
  });
}
