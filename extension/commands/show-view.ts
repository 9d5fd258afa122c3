import { activePlan } from './active-plan';
import type { Command } from './index';

/** Shows the Sweep view of the plan in front. */
export const sweep: Command = async context => activePlan(context).showView('sweep');

/** Shows the Find a Mask view of the plan in front. */
export const findMask: Command = async context => activePlan(context).showView('search');
