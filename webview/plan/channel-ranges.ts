import type { ChannelMask } from '../../extension/core/protocol/webview';
import { t } from '../ui/l10n';

/** Half-open range of channels. */
export type ChannelRange = readonly [number, number];

/** A part of the site's channels and what is done to it; null: it stays dense. */
export interface RangePart { readonly range: ChannelRange; readonly mask: ChannelMask | null }

const rangeOf = (mask: ChannelMask, channels: number): ChannelRange => mask.channels ?? [0, channels];

/** All channels of a site in ascending parts: the masks' ranges and the dense gaps between them. */
export function channelParts(masks: readonly ChannelMask[], channels: number): RangePart[] {
  const parts: RangePart[] = [];
  let end = 0;
  const sorted = [...masks].sort((a, b) => rangeOf(a, channels)[0] - rangeOf(b, channels)[0]);
  for (const mask of sorted) {
    const range = rangeOf(mask, channels);
    if (range[0] > end) parts.push({ range: [end, range[0]], mask: null });
    parts.push({ range, mask });
    end = range[1];
  }
  if (end < channels) parts.push({ range: [end, channels], mask: null });
  return parts;
}

/** The mask that the first channel of a range has. */
export function maskAt(masks: readonly ChannelMask[], channel: number, channels: number): ChannelMask | null {
  return masks.find(mask => channel >= rangeOf(mask, channels)[0] && channel < rangeOf(mask, channels)[1]) ?? null;
}

/** The masks after a range got this one, whatever it had before; ranges that it cuts into keep the rest of their channels. */
export function withMask(masks: readonly ChannelMask[], range: ChannelRange, channels: number, mask: Omit<ChannelMask, 'channels'> | null): ChannelMask[] {
  const result: ChannelMask[] = [];
  const add = (part: Omit<ChannelMask, 'channels'>, [first, end]: ChannelRange): void => {
    if (first >= end || (!part.frequency && !part.partial)) return;
    result.push(onChannels(part, [first, end], channels));
  };
  for (const old of masks) {
    const [first, end] = rangeOf(old, channels);
    add(old, [first, Math.min(end, range[0])]);
    add(old, [Math.max(first, range[1]), end]);
  }
  if (mask) add(mask, range);
  return mergeEqual(result.sort((a, b) => rangeOf(a, channels)[0] - rangeOf(b, channels)[0]), channels);
}

/** The same action on a range of channels, which is left out where it is all of them. */
function onChannels({ frequency, partial }: Omit<ChannelMask, 'channels'>, [first, end]: ChannelRange, channels: number): ChannelMask {
  return { ...((first > 0 || end < channels) && { channels: [first, end] as const }), ...(frequency && { frequency }), ...(partial && { partial }) };
}

/** Adjoining ranges with the same mask become one. */
function mergeEqual(masks: readonly ChannelMask[], channels: number): ChannelMask[] {
  const merged: ChannelMask[] = [];
  for (const mask of masks) {
    const last = merged.at(-1);
    const [first, end] = rangeOf(mask, channels);
    if (last && rangeOf(last, channels)[1] === first && sameAction(last, mask)) {
      merged[merged.length - 1] = onChannels(last, [rangeOf(last, channels)[0], end], channels);
    } else {
      merged.push(mask);
    }
  }
  return merged;
}

const sameAction = (a: ChannelMask, b: ChannelMask): boolean => JSON.stringify([a.frequency, a.partial]) === JSON.stringify([b.frequency, b.partial]);

/** "all 128 channels", "channels 0–63". */
export const rangeName = ([first, end]: ChannelRange, channels: number): string =>
  (first === 0 && end === channels ? t('all {0} channels', channels) : end - first === 1 ? t('channel {0}', first) : t('channels {0}–{1}', first, end - 1));
