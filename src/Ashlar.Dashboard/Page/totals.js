import { element, write } from './elements.js';

// A few figures side by side, each with its name.
export class Totals {
  root = element('dl', { class: 'totals' });

  // pairs: names, always the same, with their values as text.
  show(pairs) {
    if (this.root.children.length === 0) this.root.append(...pairs.map(([name]) => element('div', { class: 'total' }, element('dt', {}, name), element('dd', {}, ''))));
    pairs.forEach(([, value], i) => write(this.root.children[i].lastChild, value));
  }
}
