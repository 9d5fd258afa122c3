import { spectralEngine } from '../plan/support/spectral-engine';
import { describeWholeWay } from './support/whole-way';

describeWholeWay('From file to logits and to exported graphs, with float64 sums as engine', () => spectralEngine);
