import { t } from '../ui/l10n';

/** Numbers between commas; an empty text is an empty list. Throws an Error with a sentence for anything else. */
export function parseNumbers(text: string, what: string, valid: (value: number) => boolean): number[] {
  return text.split(',').map(part => part.trim()).filter(part => part !== '').map(part => {
    const value = Number(part);
    if (!valid(value)) throw new Error(t('“{0}” cannot be one of the {1}.', part, what));
    return value;
  });
}

/** "8.8.8; 4.16.8": patterns between semicolons, counts between full stops or commas. */
export function parseBlocks(text: string): number[][] {
  return text.split(';').map(part => part.trim()).filter(part => part !== '')
    .map(pattern => parseNumbers(pattern.replaceAll('.', ','), t('counts of a block pattern'), value => Number.isInteger(value) && value >= 1));
}

export const formatList = (values: readonly number[]): string => values.join(', ');
