import { element, write, dot, nodeDots, nodeWords } from './elements.js';
import * as format from './format.js';

const heads = ['Tier', 'State', 'Instances', 'Rate', 'Errors', 'p95', 'Cores', 'Memory', 'Full'];

// The same figures as the diagram's, for screen readers and for those who like rows.
export class Table {
  #root;
  #open;
  #body;
  #rows = new Map();

  constructor(root, open) {
    this.#root = root;
    this.#open = open;
    this.#body = element('tbody');
    root.append(element('table', {},
      element('caption', { class: 'sr' }, 'Tiers of the stack, live'),
      element('thead', {}, element('tr', {}, heads.map((head, i) => element('th', { scope: 'col', class: i > 2 ? 'num' : null }, head)))),
      this.#body));
  }

  show(frame) {
    if (this.#root.hidden) return;
    const nodes = frame.nodes.filter(node => node.kind !== 'browser');
    const key = nodes.map(node => node.id).join();
    if (this.#body.dataset.key !== key) {
      this.#body.dataset.key = key;
      this.#rows.clear();
      this.#body.replaceChildren(...nodes.map(node => this.#make(node)));
    }
    for (const node of nodes) this.#update(this.#rows.get(node.id), node);
  }

  #make(node) {
    const cells = heads.slice(2).map((_, i) => element('td', { class: i > 0 ? 'num' : null }));
    const state = element('span', { class: 'state' });
    this.#rows.set(node.id, { cells, state });
    return element('tr', {},
      element('th', { scope: 'row' }, element('button', { type: 'button', onclick: () => this.#open(node.id) }, node.title)),
      element('td', {}, state), cells);
  }

  #update({ cells, state }, node) {
    if (state.dataset.state !== node.state) {
      state.dataset.state = node.state;
      state.replaceChildren(dot(nodeDots[node.state]), nodeWords[node.state]);
    }
    const values = [
      `${node.ready} of ${node.wanted}`, node.rate == null ? '–' : `${format.rate(node.rate)} ${node.unit}`, format.percent(node.errorShare), format.millis(node.p95),
      format.cores(node.instances.reduce((sum, i) => sum + i.cpu, 0)), format.bytes(node.instances.reduce((sum, i) => sum + i.memory, 0)),
      node.fill ? `${Math.round(node.fill.share * 100)} % ${node.fill.limit}` : '–',
    ];
    values.forEach((value, i) => write(cells[i], value));
  }
}
