import * as vscode from 'vscode';
import type { Command } from './index';

/** Says what can run here, and why not what cannot. */
export const showDevices: Command = async ({ services }) => {
  const { cpu, cuda } = await services.interactive.call('devices', {});
  const lines = [
    `CPU: ${cpu.name}, ${cpu.threads} threads, kernels for ${cpu.instructionSets.join(', ')}.`,
    cuda.usable ? `CUDA: ${cuda.name ?? 'usable'}.` : `CUDA: not usable. ${cuda.reason ?? ''}`.trim(),
  ];
  lines.forEach(line => services.log.info(line));
  void vscode.window.showInformationMessage(lines.join(' '));
};
