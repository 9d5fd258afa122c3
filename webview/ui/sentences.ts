import { bundle, filled } from './l10n';

/** An English sentence of the kernel host with places {0}, {1} ...; a key of the bundle, like the texts of t(). */
const sentence = (text: string): string => text;

/**
 * What the kernel host says most often: what it is doing, what came of it, what to do. It travels in English, which is also what the command
 * line prints and reports hold, and is put into the user's language where it is shown. What is not listed here stays English.
 */
export const SENTENCES: readonly string[] = [
  // Progress of jobs.
  sentence('opening the model'), sentence('speed of the whole model'), sentence('speed of {0}'), sentence('site {0}'), sentence('writing {0}'),
  sentence('re-reading it'), sentence('re-reading and re-running it'), sentence('re-reading and re-running it in ONNX Runtime'), sentence('re-running it in ONNX Runtime'),
  sentence('done'), sentence('dense: sample {0} of {1}'), sentence('checking on {0} samples'), sentence('validating: {0}'), sentence('each site alone: {0} measured'),
  sentence('all sites together: {0} measured'), sentence('each site alone: sample {0} of {1}'), sentence('all sites together: sample {0} of {1}'),
  // Kernels, and masks that do not pay.
  sentence('{0}, {1}% of the dense arithmetic'),
  sentence('A frequency mask saves no time on a circular convolution, whose kernels compute the whole ring. A cut to few lags does.'),
  sentence('This pattern saves no time on this kernel: it keeps bins of every comb row, some of them high. What saves time is to keep only low frequencies (up to about 30% of the bins), or few whole comb rows (n1).'),
  sentence('This pattern saves no time on this kernel: too few comb rows are dropped, since a row is kept together with its mirror. Fewer rows are quicker.'),
  sentence('This low-pass saves no time on this kernel: the input is too short for a lower sampling rate to pay. A cut to few taps, or few whole comb rows (n1), may.'),
  sentence('This cut saves no time on this kernel: it pays when far fewer taps are kept than the input is long.'),
  // Verdicts, of a speed and a quality.
  sentence('The plan masks no site: nothing is faster, and nothing is worse.'),
  sentence('{0}; without data nothing is known of the model’s quality.'),
  sentence('{0}; perplexity does not change measurably ({1}, 95% interval {2} to {3}).'),
  sentence('{0}; perplexity once re-causalised does not change measurably ({1}, 95% interval {2} to {3}).'),
  sentence('{0}; perplexity is {1} worse (95% interval {2} to {3}).'), sentence('{0}; perplexity once re-causalised is {1} worse (95% interval {2} to {3}).'),
  sentence('{0}; perplexity is {1} better (95% interval {2} to {3}).'), sentence('{0}; perplexity once re-causalised is {1} better (95% interval {2} to {3}).'),
  sentence('The masked convolutions run {0} times as fast'), sentence('The masked convolutions run {0} times as fast (the whole model {1} times)'),
  sentence('The masked convolutions are not faster ({0} times)'),
  // Verdicts of a search.
  sentence('The long convolutions run {0} times as fast, and {1}.'), sentence('perplexity rises by {0}%, within the budget of {1}%'), sentence('perplexity does not rise (budget {0}%)'),
  sentence('No mask that makes the convolutions faster stays within {0}% of perplexity: the plan masks nothing. A larger budget, or longer windows, may find one.'),
  // Findings.
  sentence('{0} of {1} masked sites see the future: up to {2} of the masked filter’s energy ({3}) is at negative lags. Judge the model by its re-causalised figures.'),
  sentence('{0} of {1} masked sites are {2} convolutions, which see the future by design: their leak is given as 0, and re-causalising changes nothing.'),
  sentence('Perplexity rises from {0} to {1} once the negative lags are removed: that part of the masked figure was leaked future.'),
  sentence('The mask saves no time at {0} of {1} sites ({2}) at this length: the kernels skip dropped comb rows, all above a low-pass of up to about 30% of the bins, and the end of a short partial filter.'),
  sentence('Perplexity is worse by {0}; the 95% interval of the difference excludes zero.'), sentence('Perplexity is better by {0}; the 95% interval of the difference excludes zero.'),
  sentence('Perplexity changes by {0}, which this data cannot tell from no change (95% interval of the difference includes zero).'),
  // The end of a kernel host.
  sentence('The kernel host {0} while it ran "{1}".'), sentence('Nothing was lost: no file is changed until it is complete. Try again; it starts afresh.'), sentence('The work was cancelled before it was done.'),
];

const patterns = SENTENCES.map(text => ({ text, pattern: new RegExp(`^${text.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(/\{\d\}/g, '(.+?)')}$`, 's') }));

/** A sentence of the kernel host in the user's language, with what stands in its places; what is not known stays as it is. */
export function translated(english: string, texts: Readonly<Record<string, string>> = bundle): string {
  for (const { text, pattern } of patterns) {
    const found = pattern.exec(english);
    if (found && text in texts) return filled(texts[text], found.slice(1).map(value => translated(value, texts)));
  }
  return english;
}
