import type { SurgeryPlan } from './plan';

/** Fields in the order in which they are written; a plan has no others. */
const FIELD_ORDER: readonly string[] = [
  '$schema', 'version', 'model', 'sites', 'path', 'family', 'fingerprint', 'options', 'site', 'masks', 'channels', 'frequency', 'partial',
  'grid', 'fftSize', 'factors', 'taps', 'taper', 'symmetry', 'keep', 'kind', 'counts', 'fraction', 'from', 'to', 'rows', 'cells', 'digits', 'runs',
];
const WIDTH = 100;

/** The plan as text: fields in a fixed order, two spaces, lists of numbers in filled lines, a newline at the end. */
export function formatPlan(plan: SurgeryPlan): string {
  return `${formatValue(plan, '')}\n`;
}

/** A value of a plan as it stands in formatPlan's text when its line is indented by `indent`. */
export function formatValue(value: unknown, indent: string): string {
  if (Array.isArray(value)) {
    return formatList(value, indent);
  }
  if (typeof value !== 'object' || value === null) {
    return JSON.stringify(value);
  }
  const inner = `${indent}  `;
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1))
    .map(([key, member]) => `${inner}${JSON.stringify(key)}: ${formatValue(member, inner)}`);
  return members.length === 0 ? '{}' : `{\n${members.join(',\n')}\n${indent}}`;
}

function rank(field: string): number {
  const at = FIELD_ORDER.indexOf(field);
  return at < 0 ? FIELD_ORDER.length : at;
}

function formatList(list: readonly unknown[], indent: string): string {
  if (list.length === 0) {
    return '[]';
  }
  const inner = `${indent}  `;
  if (list.some((item) => typeof item === 'object')) {
    return `[\n${list.map((item) => inner + formatValue(item, inner)).join(',\n')}\n${indent}]`;
  }
  const items = list.map((item) => JSON.stringify(item));
  const line = `[${items.join(', ')}]`;
  return line.length + indent.length <= WIDTH ? line : `[\n${fill(items, inner)}\n${indent}]`;
}

/** As many items on a line as fit. */
function fill(items: readonly string[], indent: string): string {
  const lines: string[] = [];
  let line = '';
  items.forEach((item, i) => {
    const next = i + 1 < items.length ? `${item},` : item;
    if (line !== '' && indent.length + line.length + 1 + next.length > WIDTH) {
      lines.push(indent + line);
      line = next;
    } else {
      line = line === '' ? next : `${line} ${next}`;
    }
  });
  return [...lines, indent + line].join('\n');
}
