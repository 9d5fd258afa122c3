import type { SiteOverview, SiteSummary } from '../../extension/core/protocol/webview';
import type { PlotContext } from '../plots/filter-source';
import { el } from '../ui/dom';
import { count } from '../ui/format';
import { directionName } from '../ui/site-words';
import { svg } from '../ui/svg';
import { t } from '../ui/l10n';

const COLUMNS = 96, HEIGHT = 44, FLOOR = -80;

/** Every site of the model at a glance: small pictures of its filters' mean energy in time and in frequency, all on the same axes. Choosing one drills down. */
export class OverviewStrip {
  readonly element: HTMLElement;
  private readonly cards = new Map<string, { readonly site: SiteSummary; readonly pictures: HTMLElement }>();
  private readonly visible = new Set<string>();
  private readonly asked = new Set<string>();
  private busy = false;

  constructor(private readonly context: PlotContext, sites: readonly SiteSummary[], onChoose: (site: string) => void) {
    const list = el('div', { class: 'strip', role: 'list', label: t('Sites at a glance'), testid: 'overview-strip' });
    this.element = el('div', { class: 'overview-page' },
      el('p', { class: 'muted' }, t('Mean energy of each site’s filters over lags (left) and over frequencies 0 to ½ (right), 0 to −80 dB of the largest. Choose a site to look closer.')), list);
    const observer = new IntersectionObserver(entries => {
      for (const entry of entries) {
        const id = (entry.target as HTMLElement).dataset.site!;
        if (entry.isIntersecting) this.visible.add(id);
        else this.visible.delete(id);
      }
      void this.loadNext();
    });
    for (const site of sites) {
      const pictures = el('span', { class: 'strip-pictures' });
      const card = el('button', { class: 'strip-card', testid: 'overview-card', title: t('{0}: {1}, {2} channels of {3} taps', site.id, directionName(site.direction), site.channels, site.taps) },
        el('span', { class: 'name', text: site.id }), el('span', { class: 'detail muted', text: `${count(site.channels)} × ${count(site.taps)}` }), pictures);
      card.dataset.site = site.id;
      card.addEventListener('click', () => onChoose(site.id));
      this.cards.set(site.id, { site, pictures });
      list.append(el('div', { role: 'listitem' }, card));
      observer.observe(card);
    }
  }

  /** One picture at a time, only of what is on the screen: a model of a hundred layers must not hold up the plots. */
  private async loadNext(): Promise<void> {
    const id = [...this.visible].find(candidate => !this.asked.has(candidate));
    if (this.busy || id === undefined) return;
    this.busy = true;
    this.asked.add(id);
    const { pictures } = this.cards.get(id)!;
    try {
      const { time, frequency } = await this.context.source.overview({ site: id, columns: COLUMNS });
      pictures.replaceChildren(picture(time, 'original'), picture(frequency, 'masked'));
      pictures.dataset.ready = 'true';
    } catch (error) {
      this.context.onError(error);
    }
    this.busy = false;
    void this.loadNext();
  }
}

function picture(levels: SiteOverview['time'], colour: 'original' | 'masked'): SVGElement {
  const y = (level: number): number => Math.round((HEIGHT - 2) * (level / FLOOR) * 10) / 10 + 1;
  const line = Array.from(levels, (level, i) => `${((i + 0.5) * COLUMNS) / levels.length} ${y(level)}`).join('L');
  return svg('svg', { viewBox: `0 0 ${COLUMNS} ${HEIGHT}`, class: `strip-picture ${colour}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    svg('path', { class: 'area', d: `M0 ${HEIGHT}L${line}L${COLUMNS} ${HEIGHT}Z` }), svg('path', { class: 'line', d: `M${line}` }));
}
