import * as path from 'node:path';
import type { Engine } from '../../engine/engine';
import type { TensorFile } from '../../formats/tensor-file';
import type { ModelGraph } from '../../graph/model-graph';
import type { SurgeryPlan } from '../../plan/plan';
import { readEmbeddedFilter } from '../embedded-surgery';
import type { LongConvModel, ModelOption, Site, TapRange, Tokenizer } from '../model';
import type { FilterGenerator } from './filter';
import { generateFilter } from './filter';
import { buildHyenaDnaGraph } from './graph';
import type { HyenaDnaNetwork } from './layout';
import { HYENADNA_TOKENIZER } from './tokenizer';

export interface HyenaDnaParts {
  readonly file: TensorFile;
  readonly network: HyenaDnaNetwork;
  readonly sites: readonly Site[];
  /** By layer; undefined where the site's filter is embedded. */
  readonly generators: readonly (FilterGenerator | undefined)[];
  readonly parameters: number;
  readonly options: readonly ModelOption[];
  readonly notes: readonly string[];
  readonly embeddedPlan?: SurgeryPlan;
  readonly recausalised?: boolean;
}

/** An opened HyenaDNA model. It owns its file. */
export class HyenaDnaModel implements LongConvModel {
  readonly family = 'hyenadna';
  readonly name: string;
  readonly path: string;
  readonly file: TensorFile;
  readonly parameters: number;
  readonly sites: readonly Site[];
  readonly vocabularySize: number;
  readonly maxLength: number;
  readonly tokenizer: Tokenizer = HYENADNA_TOKENIZER;
  readonly options: readonly ModelOption[];
  readonly notes: readonly string[];
  readonly embeddedPlan?: SurgeryPlan;
  readonly recausalised?: boolean;
  private readonly network: HyenaDnaNetwork;
  private readonly generators: readonly (FilterGenerator | undefined)[];

  constructor(parts: HyenaDnaParts) {
    this.file = parts.file;
    this.path = parts.file.path;
    this.name = title(parts.file.path);
    this.network = parts.network;
    this.sites = parts.sites;
    this.generators = parts.generators;
    this.parameters = parts.parameters;
    this.vocabularySize = parts.network.vocabularySize;
    this.maxLength = parts.network.maxLength;
    this.options = parts.options;
    this.notes = parts.notes;
    this.embeddedPlan = parts.embeddedPlan;
    this.recausalised = parts.recausalised;
  }

  async filter(siteId: string, range: TapRange, engine: Engine): Promise<Float32Array> {
    const index = this.sites.findIndex(({ id }) => id === siteId);
    const site = this.sites[index];
    if (!site || !inside(range.channels, site.channels) || !inside(range.taps, site.taps)) {
      throw new RangeError(`no channels [${range.channels.join(', ')}) and taps [${range.taps.join(', ')}) in site ${siteId} of ${this.name}`);
    }
    const generator = this.generators[index];
    if (generator) {
      return generateFilter(this.file, generator, range, engine);
    }
    if (!site.embedded) {
      throw new Error(`site ${siteId} has neither a generator nor an embedded filter`);
    }
    return readEmbeddedFilter(this.file, site.embedded, range);
  }

  graph(): Promise<ModelGraph> {
    return buildHyenaDnaGraph(this.network, this.file);
  }

  close(): Promise<void> {
    return this.file.close();
  }
}

/** The folder's name where the file has the name that every such file has. */
function title(file: string): string {
  const name = path.basename(file);
  return name === 'model.safetensors' ? path.basename(path.dirname(file)) || name : name;
}

const inside = ([first, end]: readonly [number, number], size: number): boolean =>
  Number.isInteger(first) && Number.isInteger(end) && first >= 0 && first <= end && end <= size;
