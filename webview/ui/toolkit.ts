import { provideVSCodeDesignSystem, vsCodeButton, vsCodeCheckbox } from '@vscode/webview-ui-toolkit';
import type { Button, Checkbox } from '@vscode/webview-ui-toolkit';
import { apply } from './dom';
import type { Attributes } from './dom';

/**
 * The one file that knows @vscode/webview-ui-toolkit (its upstream is archived): the pages build their controls through these
 * functions, so another library replaces it here and nowhere else.
 */
provideVSCodeDesignSystem().register(vsCodeButton(), vsCodeCheckbox());

export type ButtonControl = HTMLElement & { disabled: boolean };
export type CheckboxControl = HTMLElement & { checked: boolean; disabled: boolean };

export function button(label: string, onClick: () => void, options: Attributes & { primary?: boolean } = {}): ButtonControl {
  const control = document.createElement('vscode-button') as Button;
  control.appearance = options.primary ? 'primary' : 'secondary';
  apply(control, options);
  control.append(label);
  control.addEventListener('click', onClick);
  return control;
}

/** The value that each check box was last given by code: the toolkit fires `change` for that too. */
const given = new WeakMap<HTMLElement, boolean>();

export function checkbox(label: string, checked: boolean, onChange: (checked: boolean) => void, options: Attributes = {}): CheckboxControl {
  const control = document.createElement('vscode-checkbox') as Checkbox;
  apply(control, options);
  control.append(label);
  setChecked(control, checked);
  control.addEventListener('change', () => {
    if (given.get(control) === control.checked) return;
    given.set(control, control.checked);
    onChange(control.checked);
  });
  return control;
}

export function setChecked(control: CheckboxControl, checked: boolean): void {
  given.set(control, checked);
  control.checked = checked;
}
