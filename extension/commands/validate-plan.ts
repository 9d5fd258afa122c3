import type { Command } from './index';
import { activePlan } from './active-plan';

/** Validates the plan in front and shows the Validate view. */
export const validatePlan: Command = async context => {
  const session = activePlan(context);
  session.showView('validation');
  await session.validate();
};
