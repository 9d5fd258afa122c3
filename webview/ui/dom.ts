/** Builds elements without HTML strings: every text goes in as a text node, so names from files cannot become markup. */
export interface Attributes {
  readonly class?: string;
  readonly text?: string;
  /** Stable name for browser tests. */
  readonly testid?: string;
  readonly role?: string;
  readonly title?: string;
  /** Accessible name. */
  readonly label?: string;
  readonly id?: string;
  readonly hidden?: boolean;
  readonly tabIndex?: number;
  /** Any further attribute, e.g. aria-*. */
  readonly set?: Readonly<Record<string, string>>;
}

export type Child = Node | string | null;

export function el<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  apply(element, attributes);
  append(element, children);
  return element;
}

export function apply(element: HTMLElement, attributes: Attributes): void {
  if (attributes.class) element.className = attributes.class;
  if (attributes.text !== undefined) element.textContent = attributes.text;
  if (attributes.testid) element.dataset.testid = attributes.testid;
  if (attributes.role) element.setAttribute('role', attributes.role);
  if (attributes.title) element.title = attributes.title;
  if (attributes.label) element.setAttribute('aria-label', attributes.label);
  if (attributes.id) element.id = attributes.id;
  if (attributes.hidden) element.hidden = true;
  if (attributes.tabIndex !== undefined) element.tabIndex = attributes.tabIndex;
  for (const [name, value] of Object.entries(attributes.set ?? {})) element.setAttribute(name, value);
}

export function append(element: HTMLElement, children: readonly Child[]): void {
  for (const child of children) if (child !== null) element.append(child);
}

export function replaceChildren(element: HTMLElement, ...children: Child[]): void {
  element.replaceChildren(...children.filter((child): child is Node | string => child !== null));
}

let nextId = 0;
/** A document-wide unique id, for label/for and aria-labelledby pairs. */
export const uniqueId = (prefix: string): string => `${prefix}-${++nextId}`;
