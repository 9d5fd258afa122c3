/** SVG elements with presentation attributes only: inline styles are forbidden by the pages' content security policy. */
export function svg(tag: string, attributes: Readonly<Record<string, string | number>> = {}, ...children: (Node | string)[]): SVGElement {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}
