import * as vscode from 'vscode';
import type { DeviceReport } from '../core/engine/engine';
import type { KernelHostClient } from '../core/engine/kernel-host-client';

/** The status item of the device that kernels run on and their precision; there only while one of our editors is in front. */
export class DeviceStatus implements vscode.Disposable {
  private item?: vscode.StatusBarItem;
  private known?: Promise<DeviceReport>;
  private readonly inFront = new Set<vscode.WebviewPanel>();

  constructor(private readonly host: KernelHostClient) {}

  /** Called whenever an editor of ours comes to the front or leaves it; one may come before the other has left. */
  async follow(panel: vscode.WebviewPanel, inFront: boolean): Promise<void> {
    if (inFront) this.inFront.add(panel);
    else this.inFront.delete(panel);
    if (this.inFront.size === 0) return this.item?.hide();
    this.item ??= this.create();
    this.item.show();
    this.known ??= this.host.call('devices', {});
    try {
      const { cpu, cuda } = await this.known;
      const set = cpu.instructionSets.at(-1) ?? 'portable';
      this.item.text = `$(chip) ${cuda.usable ? cuda.name ?? 'CUDA' : `CPU ${set}`} · fp32`;
      this.item.tooltip = vscode.l10n.t('Long convolutions run on {0}, {1} threads, in 32-bit floating point; filters are masked in 64-bit.', cpu.name, cpu.threads);
    } catch {
      // The editor itself says why the kernels cannot run; the next editor asks again.
      this.known = undefined;
      this.item.text = `$(chip) ${vscode.l10n.t('no kernels')}`;
    }
  }

  dispose(): void {
    this.item?.dispose();
  }

  private create(): vscode.StatusBarItem {
    const item = vscode.window.createStatusBarItem('longconvSurgeon.device', vscode.StatusBarAlignment.Right, 90);
    item.name = vscode.l10n.t('Long-Conv Surgeon: device');
    item.command = 'longconvSurgeon.showDevices';
    item.text = '$(chip) …';
    return item;
  }
}
