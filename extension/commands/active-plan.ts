import { UserError } from '../core/errors';
import type { PlanSession } from '../editors/plan-session';
import type { CommandContext } from './index';

/** The plan whose editor is in front. Throws a UserError when there is none. */
export function activePlan({ plans }: CommandContext): PlanSession {
  const session = plans.activeSession;
  if (!session) throw new UserError('No surgery plan is open in front.', 'Open a *.surgery.json file, or make one with "New Surgery Plan".');
  return session;
}
