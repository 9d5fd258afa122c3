import type { Command } from './index';
import { activePlan } from './active-plan';

/** Shows the Export view of the plan in front, where the form is chosen. */
export const exportPlan: Command = async context => {
  activePlan(context).showView('export');
};
