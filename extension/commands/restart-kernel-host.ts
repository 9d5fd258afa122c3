import * as vscode from 'vscode';
import type { Command } from './index';

/** Ends the kernel hosts; they start again with the next question or job. */
export const restartKernelHost: Command = async ({ services }) => {
  services.restartKernelHosts();
  services.log.info('kernel hosts ended on request');
  void vscode.window.showInformationMessage('The kernel host was ended; it starts afresh with the next request.');
};
