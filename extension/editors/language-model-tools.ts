import * as path from 'node:path';
import * as vscode from 'vscode';
import { UserError } from '../core/errors';
import type { KernelHostApi, ModelSummary } from '../core/protocol/kernel-host';
import { failureOf } from './failure';
import type { Services } from './services';

/** Tensors that `inspect` lists at most: an answer has to fit into a conversation. */
const MOST_TENSORS = 40;

interface InspectInput { readonly model: string }
interface ProposeInput { readonly model: string; readonly partial?: number; readonly lowpass?: number; readonly comb?: number; readonly sites?: string }
interface ValidateInput { readonly plan: string; readonly data?: string }

/**
 * What a chat in VS Code may ask of the extension: to look at a model, to say what a mask would do, and to validate a plan. All three only read
 * and measure: writing plans and exporting stay acts of a person.
 */
export function registerLanguageModelTools(services: Services): vscode.Disposable[] {
  // Editors without a language-model API have no such tools.
  if (!('lm' in vscode) || typeof vscode.lm.registerTool !== 'function') return [];
  return [
    vscode.lm.registerTool<InspectInput>('longconv_inspect_model', tool(vscode.l10n.t('Reading the model'), async ({ model }) =>
      inspected(await services.interactive.call('inspect', { model: inWorkspace(model) })))),
    vscode.lm.registerTool<ProposeInput>('longconv_propose_mask', tool(vscode.l10n.t('Measuring masks'), input => propose(services, input))),
    vscode.lm.registerTool<ValidateInput>('longconv_validate_plan', tool(vscode.l10n.t('Validating the plan'), async ({ plan, data }) => {
      const request: Parameters<KernelHostApi['validate']>[0] = { plan: inWorkspace(plan), data: data && inWorkspace(data), backend: 'auto', threads: services.threads };
      return services.runJob('validation', () => undefined, (host, options) => host.call('validate', request, options));
    })),
  ];
}

function tool<Input>(invocationMessage: string, run: (input: Input) => Promise<unknown>): vscode.LanguageModelTool<Input> {
  return {
    prepareInvocation: () => ({ invocationMessage }),
    invoke: async options => {
      let text: string;
      try {
        text = JSON.stringify(await run(options.input));
      } catch (error) {
        const { message, hint } = failureOf(error);
        text = JSON.stringify({ error: message, hint });
      }
      return new vscode.LanguageModelToolResult([new vscode.LanguageModelTextPart(text)]);
    },
  };
}

const inspected = ({ tensors, ...summary }: ModelSummary): unknown => ({ ...summary, tensorCount: tensors.length, tensors: tensors.slice(0, MOST_TENSORS) });

/** Error, leak and predicted speed-up of the same masks on every chosen site; nothing is written. */
async function propose(services: Services, { model, ...masks }: ProposeInput): Promise<unknown> {
  const file = inWorkspace(model);
  const [summary, plan] = await Promise.all([
    services.interactive.call('inspect', { model: file }),
    services.interactive.call('makePlan', { ...masks, model: file, planPath: `${file}.surgery.json` }),
  ]);
  const sites = [];
  for (const { site, masks: siteMasks } of plan.sites) {
    const { measures, predictedSpeedup, kernel, advice } = await services.interactive.call('preview', { model: file, site, masks: siteMasks, maxChannels: 32, length: summary.defaultLength });
    sites.push({ site, ...measures, predictedSpeedup, kernel, advice });
  }
  return { note: 'Predicted, not measured; validate a plan for measured speed and quality.', sites, plan };
}

/** A path of the workspace, relative or absolute. Throws a UserError for files outside it: a chat must not read the whole machine. */
function inWorkspace(file: string): string {
  const folders = (vscode.workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === 'file').map(({ uri }) => uri.fsPath);
  for (const folder of folders) {
    const absolute = path.resolve(folder, file);
    const relative = path.relative(folder, absolute);
    if (!relative.startsWith('..') && !path.isAbsolute(relative)) return absolute;
  }
  throw new UserError(`${file} is not in the workspace.`, 'Name a file of an open folder.');
}
