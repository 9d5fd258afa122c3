import { randomUUID } from 'node:crypto';
import * as vscode from 'vscode';
import { UserError } from '../core/errors';
import { writeFileAtomically } from '../core/io/atomic-file';
import { describeMasks } from '../core/masks/describe';
import type { SurgeryPlan } from '../core/plan/plan';
import type { ValidationRun } from '../core/protocol/webview';
import type { ReportFormat, ValidationReport } from '../core/protocol/webview';
import { REPORT_EXTENSIONS, reportText } from '../core/validation/report-text';
import { localPath } from './local-file';

/** Validations of one plan that are kept; the oldest is forgotten for a new one. */
const MOST_RUNS = 20;

/** The validations of one plan, newest first, kept in the workspace's state so that they outlive the window. */
export class ValidationRuns {
  list: readonly ValidationRun[];

  constructor(private readonly state: vscode.Memento, private readonly plan: vscode.Uri, private readonly onChange: (runs: readonly ValidationRun[]) => void) {
    this.list = state.get<ValidationRun[]>(this.key, []);
  }

  /** @returns the id of the new run. */
  async add(plan: SurgeryPlan, report: ValidationReport): Promise<string> {
    const run: ValidationRun = { id: randomUUID(), sites: plan.sites, masks: summary(plan), report };
    await this.set([run, ...this.list].slice(0, MOST_RUNS));
    return run.id;
  }

  async remove(id: string): Promise<void> {
    await this.set(this.list.filter(run => run.id !== id));
  }

  get(id: string): ValidationRun {
    const run = this.list.find(candidate => candidate.id === id);
    if (!run) throw new UserError('This validation is no longer kept.', 'Validate the plan again.');
    return run;
  }

  /** Asks where to save the report of a run, and writes it there. */
  async save(id: string, format: ReportFormat): Promise<void> {
    const { report } = this.get(id);
    const extension = REPORT_EXTENSIONS[format];
    const stem = this.plan.path.split('/').at(-1)!.replace(/\.surgery\.json$|\.json$/, '');
    const target = await vscode.window.showSaveDialog({
      title: vscode.l10n.t('Save the validation report'), defaultUri: vscode.Uri.joinPath(this.plan, '..', `${stem}.validation.${extension}`),
      filters: { [format]: [extension] },
    });
    if (target) await writeFileAtomically(localPath(target), reportText(report, format));
  }

  private get key(): string {
    return `runs:${this.plan.toString()}`;
  }

  private async set(list: readonly ValidationRun[]): Promise<void> {
    this.list = list;
    this.onChange(list);
    await this.state.update(this.key, list);
  }
}

/** e.g. "first 64 taps" where all masked sites are alike, else site by site. */
function summary({ sites }: SurgeryPlan): string {
  const lines = sites.map(({ site, masks }) => ({ site, text: describeMasks(masks) }));
  const alike = lines.every(({ text }) => text === lines[0].text);
  if (lines.length === 0) return 'dense';
  return alike ? `${lines[0].text} (${lines.length} ${lines.length === 1 ? 'site' : 'sites'})` : lines.map(({ site, text }) => `${site}: ${text}`).join('; ');
}
