import { ElementType, GraphBuilder } from '../../graph/builder';
import { addLongConv, fftSizeFor } from '../../graph/long-conv-op';
import { filterInputName, type ModelGraph } from '../../graph/model-graph';
import { familyModel, type FamilyModelParts } from './family-model';
import type { LongConvModel, Site } from '../model';
import { refuseSitesOnly } from '../sites-only';
import { addSwap } from './layers';
import { finishGraph } from './model-graph';

/**
 * A model that is nothing but long filters. With one filter it runs: input [batch, length, H], convolved channel by channel, to the same
 * shape. With several, nothing says what lies between them, so that only the sites can be used.
 */
export function filterBankModel(parts: Omit<FamilyModelParts, 'graph' | 'vocabularySize' | 'task' | 'floatInput'>): LongConvModel {
  const { family, file, sites } = parts;
  const sitesOnly = sites.length > 1 ? `holds ${sites.length} filters and not the model around them` : undefined;
  return familyModel({
    ...parts, sitesOnly,
    vocabularySize: 0, task: 'features', floatInput: ['length', sites[0].channels], localHistory: 0,
    graph: async () => {
      refuseSitesOnly({ path: file.path, sitesOnly });
      return singleConvolution(family, sites[0], parts.maxLength);
    },
  });
}

function singleConvolution(name: string, site: Site, maxLength: number): ModelGraph {
  const b = new GraphBuilder();
  const input = b.input('input', ElementType.FLOAT, ['batch', 'length', site.channels]);
  const k = b.input(filterInputName(site.id), ElementType.FLOAT, [site.channels, 'taps']);
  const y = addLongConv(b, { site: site.id, mode: 'causal', u: addSwap(b, 'input', input), k }, fftSizeFor(maxLength));
  const output = addSwap(b, 'output', y);
  b.output(output, ElementType.FLOAT, ['batch', 'length', site.channels]);
  return finishGraph(b, name, { name: input, kind: 'float' }, output);
}
