import { activePlan } from './active-plan';
import type { Command } from './index';

/** Shows what changed in the plan in front since it was saved. */
export const compareWithSaved: Command = async context => activePlan(context).showDiff('saved');

/** Shows what changed in the plan in front since the last commit. */
export const compareWithCommitted: Command = async context => activePlan(context).showDiff('committed');
