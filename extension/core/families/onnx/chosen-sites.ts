import { UserError } from '../../errors';
import type { OnnxFile } from '../../formats/onnx/read';
import { type ChosenSite, SITES_KEY } from '../generic/choice';
import type { OnnxSite } from './site';

/**
 * The convolutions of the graph whose filters the user chose, under the names that the user gave them: by the tensor that stores the
 * filter, or by the value that holds it. undefined where one of the tensors is no filter of a convolution that can be cut out, so that
 * the model is known by its filters alone. Throws UserError where the user says something else of a filter than the graph does.
 */
export function chosenSites(file: OnnxFile, sites: readonly OnnxSite[], choice: readonly ChosenSite[], where: string): OnnxSite[] | undefined {
  const result: OnnxSite[] = [];
  for (const chosen of choice) {
    const using = chosen.backward === undefined ? sites.filter(({ cut }) => cut.value === chosen.tensor || (cut.tensor && file.nameOf(cut.tensor) === chosen.tensor)) : [];
    if (using.length === 0) return undefined;
    using.forEach((site, i) => {
      refuseContradiction(site, chosen, where);
      result.push({ ...site, id: i === 0 ? chosen.id : `${chosen.id} (${i + 1})` });
    });
  }
  return result;
}

function refuseContradiction(site: OnnxSite, { tensor, said }: ChosenSite, where: string): void {
  if (said.direction !== undefined && said.direction !== site.direction) {
    throw new UserError(`${where} says in "${SITES_KEY}" that ${tensor} is ${said.direction}, but the graph uses it as the filter of a ${site.direction} convolution.`, 'Correct the direction, or leave it out.');
  }
  const flipped = 'origin' in site.cut.lags;
  if (said.flipped !== undefined && said.flipped !== flipped) {
    throw new UserError(`${where} says in "${SITES_KEY}" that ${tensor} is ${said.flipped ? '' : 'not '}flipped, but the graph uses it the other way round.`, 'Correct "flipped", or leave it out.');
  }
}
