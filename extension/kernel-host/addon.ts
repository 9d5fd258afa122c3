import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import * as path from 'node:path';
import type {
  ConvolutionCall, ConvolutionSpec, DeviceReport, Engine, HalfConvolutionCall, LowRankFilterRequest, MaskedFilter, MaskFilterRequest, ModalFilterRequest, Prediction, SampleArray, SirenFilterRequest, SpectrumPart,
} from '../core/engine/engine';
import { UserError } from '../core/errors';

/** The addon as `require` gives it: native/src/addon/addon.cpp. A cancel flag is an Int32Array of one element that stops the call once it is not 0. */
interface NativeAddon {
  devices(): DeviceReport;
  prepare(spec: ConvolutionSpec, filter: SampleArray): Promise<NativePrepared>;
  predict(spec: ConvolutionSpec, batch: number, length: number, threads: number): Prediction;
  maskFilter(request: MaskFilterRequest): Promise<MaskedFilter>;
  spectrum(request: { rows: Float32Array; taps: number; fftSize: number; part: SpectrumPart }): Promise<Float32Array>;
  sirenFilter(request: SirenFilterRequest): Promise<Float32Array | undefined>;
  modalFilter(request: ModalFilterRequest): Promise<void>;
  lowRankFilter(request: LowRankFilterRequest): Promise<void>;
}
interface NativePrepared {
  run(call: ConvolutionCall | HalfConvolutionCall, cancel?: Int32Array): Promise<number>;
  prediction(): Prediction;
  free(): void;
}

/** Where the build puts the addon, from the bundle (dist/kernel-host.js) and from the source (extension/kernel-host). */
const PLACES = [path.join(__dirname, 'native', 'longconv.node'), path.join(__dirname, '..', '..', 'dist', 'native', 'longconv.node')];

/** The native engine. Throws a UserError where the addon is missing or cannot be loaded on this machine. */
export function loadEngine(): Engine {
  const file = PLACES.find((place) => existsSync(place));
  if (file === undefined) {
    throw new UserError('The native kernels are missing.', 'Build them with "npm run build", or install the extension for this platform.');
  }
  let addon: NativeAddon;
  try {
    addon = createRequire(__filename)(file) as NativeAddon;
  } catch (cause) {
    throw new UserError(
      `The native kernels cannot be loaded: ${cause instanceof Error ? cause.message : String(cause)}.`,
      `They were built for another platform than ${process.platform}-${process.arch}: install the extension for this one, or build it with "npm run build".`,
    );
  }
  return {
    devices: () => addon.devices(),
    predict: (spec, batch, length, threads) => addon.predict(spec, batch, length, threads),
    maskFilter: (request) => addon.maskFilter(request),
    spectrum: (rows, taps, fftSize, part = 'magnitude') => addon.spectrum({ rows, taps, fftSize, part }),
    sirenFilter: async (request) => (await addon.sirenFilter(request)) ?? request.into!.rows,
    modalFilter: (request) => addon.modalFilter(request),
    lowRankFilter: (request) => addon.lowRankFilter(request),
    prepare: async (spec, filter) => {
      const prepared = await addon.prepare(spec, filter);
      return { spec, prediction: prepared.prediction(), run: (call, signal) => run(prepared, call, signal), free: () => prepared.free() };
    },
  };
}

/** Runs a call; an abort sets the flag that the kernels poll. */
async function run(prepared: NativePrepared, call: ConvolutionCall | HalfConvolutionCall, signal?: AbortSignal): Promise<number> {
  if (!signal) {
    return prepared.run(call);
  }
  const flag = new Int32Array(1);
  const abort = (): void => void Atomics.store(flag, 0, 1);
  if (signal.aborted) {
    abort();
  }
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await prepared.run(call, flag);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
