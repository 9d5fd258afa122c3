/** The colours that canvases need: the current VS Code theme's, and those of the curves (styles/plots.css). CSS uses the variables directly. */
export interface ThemeColours {
  readonly original: string;
  readonly masked: string;
  readonly recausalised: string;
  readonly gain: string;
  readonly compared: string;
  readonly phase: string;
  readonly text: string;
  readonly mutedText: string;
  readonly background: string;
  readonly gridLine: string;
  readonly focus: string;
  readonly font: string;
  readonly highContrast: boolean;
  readonly dark: boolean;
}

export function themeColours(): ThemeColours {
  const style = getComputedStyle(document.body);
  const read = (name: string, fallback: string): string => style.getPropertyValue(name).trim() || fallback;
  const classes = document.body.classList;
  const highContrast = classes.contains('vscode-high-contrast') || classes.contains('vscode-high-contrast-light');
  const dark = classes.contains('vscode-dark') || (classes.contains('vscode-high-contrast') && !classes.contains('vscode-high-contrast-light'));
  const text = read('--vscode-foreground', dark ? '#cccccc' : '#333333');
  return {
    original: read('--plot-original', text),
    masked: read('--plot-masked', text),
    recausalised: read('--plot-recausalised', text),
    gain: read('--plot-gain', text),
    compared: read('--plot-compared', text),
    phase: read('--plot-phase', text),
    text,
    mutedText: highContrast ? text : read('--vscode-descriptionForeground', text),
    background: read('--vscode-editor-background', dark ? '#1e1e1e' : '#ffffff'),
    gridLine: highContrast ? withAlpha(text, 0.35) : withAlpha(text, 0.12),
    focus: read('--vscode-focusBorder', '#007fd4'),
    font: `11px ${read('--vscode-font-family', 'sans-serif')}`,
    highContrast,
    dark,
  };
}

/** A theme colour (#rgb, #rrggbb, #rrggbbaa, rgb(), rgba()) with its opacity replaced. */
export function withAlpha(colour: string, alpha: number): string {
  const hex = /^#([0-9a-f]{3,8})$/i.exec(colour)?.[1];
  if (hex) {
    const full = hex.length < 6 ? [...hex].map(digit => digit + digit).join('') : hex;
    const channel = (at: number): number => parseInt(full.slice(at, at + 2), 16);
    return `rgba(${channel(0)}, ${channel(2)}, ${channel(4)}, ${alpha})`;
  }
  const parts = /^rgba?\(([^)]+)\)$/.exec(colour)?.[1].split(/[\s,/]+/).slice(0, 3);
  return parts ? `rgba(${parts.join(', ')}, ${alpha})` : colour;
}

const observers = new Set<() => void>();
let watching = false;

/** Calls back whenever the theme changes: canvases have to be painted again. */
export function onThemeChange(listener: () => void): void {
  observers.add(listener);
  if (watching) return;
  watching = true;
  new MutationObserver(() => observers.forEach(notify => notify())).observe(document.body, {
    attributes: true, attributeFilter: ['class', 'data-vscode-theme-id', 'data-vscode-theme-kind'],
  });
  new MutationObserver(() => observers.forEach(notify => notify())).observe(document.documentElement, { attributes: true, attributeFilter: ['style'] });
}
