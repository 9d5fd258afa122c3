import { t } from './l10n';

/** Numbers as people read them. All use the en-US separators, so that screenshots and tests do not depend on the machine. */
const grouped = new Intl.NumberFormat('en-US');

export const count = (value: number): string => grouped.format(value);

/** One and many of what is counted. */
const nouns = {
  byte: (n: string) => [t('{0} byte', n), t('{0} bytes', n)],
  channel: (n: string) => [t('{0} channel', n), t('{0} channels', n)],
  setting: (n: string) => [t('{0} setting', n), t('{0} settings', n)],
  tap: (n: string) => [t('{0} tap', n), t('{0} taps', n)],
  tensor: (n: string) => [t('{0} tensor', n), t('{0} tensors', n)],
  thread: (n: string) => [t('{0} thread', n), t('{0} threads', n)],
  window: (n: string) => [t('{0} window', n), t('{0} windows', n)],
};

/** "1 tensor", "60 tensors". */
export const plural = (value: number, noun: keyof typeof nouns): string => nouns[noun](count(value))[value === 1 ? 0 : 1];

/** Decimal units, as file managers show them. */
export function bytes(value: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  let unit = 0;
  let size = value;
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit++;
  }
  return unit === 0 ? plural(value, 'byte') : `${size.toFixed(size < 10 ? 2 : size < 100 ? 1 : 0)} ${units[unit]}`;
}

/** A share of 1 in percent with three significant digits. */
export function percent(share: number): string {
  if (!Number.isFinite(share)) return '–';
  const value = share * 100;
  if (value === 0) return '0%';
  if (value >= 99.995 && value <= 100.005) return '100%';
  return `${significant(value, 3)}%`;
}

/** Three or more significant digits without needless zeros; scientific below 1e-4. */
export function significant(value: number, digits = 4): string {
  if (!Number.isFinite(value)) return '–';
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size < 1e-4 || size >= 1e7) return value.toExponential(digits - 1);
  return grouped2(Number(value.toPrecision(digits)), digits);
}

const grouped2 = (value: number, digits: number): string => value.toLocaleString('en-US', { maximumSignificantDigits: digits });

export const milliseconds = (value: number): string => `${significant(value, 3)} ms`;

export const speedup = (value: number): string => (Number.isFinite(value) ? `${value.toFixed(2)}×` : '–');

/** "12 s", "3 min 05 s". */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
}

/** Time left of a job, from its pace so far; null while there is too little to go by. */
export function secondsLeft(fraction: number, elapsed: number): number | null {
  return fraction < 0.02 || elapsed < 1 ? null : (elapsed * (1 - fraction)) / fraction;
}

/** "2026-03-01 14:05" in the user's time zone, of a time in UTC. */
export function localTime(utc: string): string {
  const time = new Date(utc);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())} ${two(time.getHours())}:${two(time.getMinutes())}`;
}
