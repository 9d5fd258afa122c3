import { fingerprint } from '../../core/formats/fingerprint';
import type { ReportProgress } from '../../core/protocol/rpc';
import type { SweepRequest, SweepResult, SweepRow } from '../../core/protocol/search';
import { Journal } from '../../core/search/journal';
import { spreadWindows } from '../../core/search/loss-meter';
import { defaultAxes, settingsOf } from '../../core/search/mask-setting';
import { runSweep } from '../../core/search/sweep';
import { TOOL } from '../../core/version';
import { host } from '../host';
import { openTrial } from './trial';
import type { TrialSetup } from './trial';

/** Quality and speed of every setting, or of every setting at every site. Finished rows survive a cancelled run in the journal. */
export async function sweep(request: SweepRequest, progress: ReportProgress): Promise<SweepResult> {
  const { engine, sessions } = host();
  progress({ message: 'opening the model', fraction: 0 });
  const setup = await openTrial(request);
  const samples = spreadWindows(setup.data.samples, request.windows);
  const { length } = setup.data;
  const { partial, lowpass, blocks, comb, combine } = request;
  const named = [partial, lowpass, blocks, comb].some((values) => values !== undefined && values.length > 0);
  const settings = settingsOf(named ? { partial, lowpass, blocks, comb, combine } : { ...defaultAxes(length), combine });
  const journal = await Journal.open<SweepRow>(request.journal, await journalKey(request, setup, samples.length), request.fresh ?? false);
  const resumed = journal.rows.length;
  const rows = await runSweep({
    model: setup.model, fingerprint: setup.fingerprint, dense: setup.dense, samples, length, settings, symmetry: request.symmetry ?? 'conjugate',
    sites: setup.sites, eachSite: request.eachSite ?? false, engine, sessions, device: setup.device, journal,
  }, ({ message, fraction, rows: partialRows }) => progress({ message, fraction, partial: { rows: partialRows } }));
  await journal.close();
  return { rows, resumed, windows: samples.length, length, device: setup.device };
}

/** Everything that changes a row, other than its own setting. */
async function journalKey(request: SweepRequest, { model, fingerprint: modelPrint, data, device, sites }: TrialSetup, windows: number): Promise<string> {
  return JSON.stringify([
    TOOL, modelPrint, model.options.map(({ name, value }) => [name, value]), await fingerprint(request.data), data.length, windows,
    request.symmetry ?? 'conjugate', request.eachSite ? 'each' : sites, device.backend, device.name, device.threads,
  ]);
}
