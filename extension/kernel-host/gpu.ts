import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import * as path from 'node:path';
import type { Gpu } from '../core/engine/gpu';
import { UserError } from '../core/errors';

/** Where the build puts the addon, from the bundle (dist/kernel-host.js) and from the source (extension/kernel-host). */
const PLACES = [path.join(__dirname, 'native', 'longconv.node'), path.join(__dirname, '..', '..', 'dist', 'native', 'longconv.node')];

/** The GPU, opened. Throws a UserError with the reason where it cannot be used. */
export function openGpu(): Gpu {
  const file = PLACES.find((place) => existsSync(place));
  if (file === undefined) throw new UserError('The native kernels are missing.', 'Build them with "npm run build", or install the extension for this platform.');
  const { cuda } = createRequire(__filename)(file) as { cuda: Gpu };
  try {
    cuda.open();
  } catch (error) {
    throw new UserError(`CUDA cannot be used here: ${(error as Error).message}`, 'Use --backend cpu or auto.');
  }
  return cuda;
}
