import * as fs from 'node:fs/promises';
import type { Engine } from '../core/engine/engine';
import type { DenseSessions } from '../core/graph/dense-sessions';
import { UserError } from '../core/errors';
import type { LongConvModel, OptionOverrides, Site } from '../core/families/model';
import { openModel } from '../core/families/registry';
import { FilterStore } from './views/filter-store';

interface OpenModel { readonly model: LongConvModel; readonly stamp: string; readonly partsStamp: string; readonly stores: Map<string, Promise<FilterStore>> }

/** Models this process has open, reopened when the file on disk changed. */
export class OpenModels {
  private readonly models = new Map<string, Promise<OpenModel>>();

  constructor(private readonly engine: Engine, private readonly sessions: DenseSessions) {}

  async model(path: string, options?: OptionOverrides): Promise<LongConvModel> {
    return (await this.open(path, options)).model;
  }

  /** The site's materialised filter, made row by row on first use. */
  async filterStore(path: string, siteId: string, options: OptionOverrides | undefined): Promise<FilterStore> {
    const { model, stores } = await this.open(path, options);
    let store = stores.get(siteId);
    if (!store) {
      store = FilterStore.create(model, findSite(model, siteId), this.engine);
      stores.set(siteId, store);
      store.catch(() => stores.delete(siteId));
    }
    return store;
  }

  private async open(path: string, options?: OptionOverrides): Promise<OpenModel> {
    const key = JSON.stringify([path, options ?? {}]);
    const stamp = await fileStamp(path);
    const known = await this.models.get(key)?.catch(() => undefined);
    if (known?.stamp === stamp && known.partsStamp === await partsStamp(known.model)) return known;
    if (known) void this.close(known);
    const opening = openModel(path, options, this.sessions).then(async (model) => ({ model, stamp, partsStamp: await partsStamp(model), stores: new Map<string, Promise<FilterStore>>() }));
    this.models.set(key, opening);
    opening.catch(() => this.models.delete(key));
    return opening;
  }

  private async close(open: OpenModel): Promise<void> {
    for (const store of open.stores.values()) await (await store).close();
    await open.model.close();
  }
}

export function findSite(model: LongConvModel, siteId: string): Site {
  const site = model.sites.find(({ id }) => id === siteId);
  if (!site) throw new UserError(`${model.name} has no site "${siteId}".`, `Its sites are ${model.sites.map(({ id }) => id).join(', ')}.`);
  return site;
}

/** Of the files beside the one that was opened, where a model has several. */
async function partsStamp({ file }: LongConvModel): Promise<string> {
  return (await Promise.all((file.files ?? []).filter((part) => part !== file.path).map(fileStamp))).join(' ');
}

/** Changes when the file is replaced or edited; the same for files that do not exist. */
async function fileStamp(path: string): Promise<string> {
  const stat = await fs.stat(path).catch(() => undefined);
  return stat ? `${stat.ino}:${stat.size}:${stat.mtimeMs}` : 'missing';
}
