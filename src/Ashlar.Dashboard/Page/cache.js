import { element, write } from './elements.js';
import { asking } from './asking.js';
import { Orders, quoted } from './orders.js';
import { Rows } from './rows.js';
import { Totals } from './totals.js';
import * as format from './format.js';

const interval = 2000;
const served = figures => figures.hits + figures.stale + figures.collapsed + figures.revalidated;
const ratio = figures => served(figures) + figures.misses > 0 ? served(figures) / (served(figures) + figures.misses) : null;
const count = value => format.number(value, 0);

// What every edge keeps of the apps' answers. It asks only while it is seen.
export class Cache {
  #orders = new Orders();
  #before = null;
  #since = element('p', { class: 'soft since' });
  #totals = new Totals();
  #filled = element('div', { class: 'stack', hidden: true });
  #empty;
  #edges = new Rows('Edges', ['Edge', '>Hit ratio', '>Hits', '>Stale', '>Collapsed', '>Revalidated', '>Misses', '>Passed', '>Stored', '>In use', '>Evicted', '>Sent from it'], 'No edge answers.', ({ machine, edge, error, answer }) => {
    const figures = answer?.figures;
    const name = [machine, edge].filter(part => part).join(' ');
    return figures ? [
      name, format.percent(ratio(figures)), count(figures.hits), count(figures.stale), count(figures.collapsed), count(figures.revalidated), count(figures.misses), count(figures.passed),
      count(figures.stored), `${format.bytes(figures.used)} of ${format.bytes(figures.limit)}`, count(figures.evictions), format.bytes(figures.bytesServed),
    ] : [name, error || 'keeps nothing', ...Array(10).fill('')];
  });

  constructor(root) {
    const what = element('input', { type: 'text', id: 'purge-what', autocomplete: 'off', spellcheck: 'false', placeholder: '/page or product-7' });
    const give = order => {
      const text = what.value.trim();
      if (text) this.#orders.give(`ashlar cache purge ${order}${quoted(text)}`);
      else what.focus();
    };
    this.#empty = element('div', { class: 'card page-part empty-state', hidden: true },
      element('h3', {}, 'The edge keeps no answers'),
      element('p', {}, 'Let it keep those that the apps allow to be kept (Cache-Control), and run ashlar up:'),
      element('pre', { tabindex: 0, 'aria-label': 'Lines of the stack file' }, 'edge:\n  cache: 256MiB'));
    this.#filled.append(this.#orders.root, this.#totals.root,
      element('section', { class: 'card page-part', 'aria-label': 'Purge' }, element('h3', {}, 'Purge'),
        element('div', { class: 'purge' },
          element('label', { for: 'purge-what' }, 'URL or tag'), what,
          element('button', { type: 'button', class: 'small', onclick: () => give('') }, 'Purge URL'),
          element('button', { type: 'button', class: 'small', onclick: () => give('--tag ') }, 'Purge tag'),
          this.#orders.button('Purge all', 'ashlar cache purge --all', 'Purge everything'))),
      element('section', { class: 'card page-part', 'aria-label': 'Edges' }, element('h3', {}, 'Edges, since each started'), this.#edges.root));
    root.append(this.#since, this.#empty, this.#filled);
    this.look = asking('cache', interval, () => !root.hidden, answer => this.#show(answer));
  }

  #show({ state, edges }) {
    write(this.#since, state === 'unknown' ? 'The agent does not answer; the edge goes on by itself.' : '');
    this.#empty.hidden = state !== 'off';
    if (state !== 'on') {
      this.#filled.hidden = state === 'off' || this.#filled.hidden;
      return;
    }
    this.#filled.hidden = false;
    const all = edges.map(edge => edge.answer?.figures).filter(figures => figures)
      .reduce((sum, figures) => Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, value + (sum[name] ?? 0)])), { hits: 0, stale: 0, collapsed: 0, revalidated: 0, misses: 0, stored: 0, used: 0, limit: 0 });
    const now = { at: performance.now(), served: served(all), misses: all.misses };
    const before = this.#before && this.#before.served <= now.served && this.#before.misses <= now.misses ? this.#before : null;
    this.#before = now;
    const lately = before ? { served: now.served - before.served, misses: now.misses - before.misses, seconds: (now.at - before.at) / 1000 } : null;
    this.#totals.show([
      ['hit ratio', format.percent(ratio(all))],
      ['hit ratio now', lately && lately.served + lately.misses > 0 ? format.percent(lately.served / (lately.served + lately.misses)) : '–'],
      ['answers a second from it', lately ? format.rate(lately.served / lately.seconds) : '–'],
      ['answers stored', count(all.stored)],
      ['memory in use', `${format.bytes(all.used)} of ${format.bytes(all.limit)}`],
    ]);
    this.#edges.show(edges, edge => `${edge.machine} ${edge.edge}`);
  }
}
