import type { Command } from './index';

export const showLog: Command = async ({ services }) => services.log.show();
