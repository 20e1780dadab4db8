import { element } from './elements.js';

// A table whose rows are made anew only where what they show has changed, so that the focus stays in them.
export class Rows {
  #heads;
  #make;
  #none;
  #body = element('tbody');
  root;

  // heads: words, with a leading > where numbers stand below.
  constructor(title, heads, none, make) {
    [this.#heads, this.#none, this.#make] = [heads, none, make];
    this.root = element('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': title },
      element('table', {},
        element('caption', { class: 'sr' }, title),
        element('thead', {}, element('tr', {}, heads.map(head => element('th', { scope: 'col', class: head.startsWith('>') ? 'num' : null }, head.replace('>', ''))))),
        this.#body));
  }

  show(items, keyOf) {
    const present = new Map([...this.#body.children].map(row => [row.dataset.key, row]));
    const rows = items.map(item => {
      const [key, said] = [String(keyOf(item)), JSON.stringify(item)];
      const row = present.get(key);
      if (row?.dataset.said === said) return row;
      const made = element('tr', { 'data-key': key, 'data-said': said }, this.#make(item).map((cell, i) =>
        element(i === 0 ? 'th' : 'td', { scope: i === 0 ? 'row' : null, class: this.#heads[i].startsWith('>') ? 'num' : null }, cell)));
      // Whoever is in it stays there.
      const held = row ? [...row.querySelectorAll('button')].indexOf(document.activeElement) : -1;
      if (held >= 0) queueMicrotask(() => made.querySelectorAll('button')[held]?.focus());
      return made;
    });
    if (rows.length === 0) rows.push(present.get('none') ?? element('tr', { 'data-key': 'none' }, element('td', { class: 'empty', colspan: this.#heads.length }, this.#none)));
    for (const row of present.values()) if (!rows.includes(row)) row.remove();
    rows.forEach((row, i) => {
      if (this.#body.children[i] !== row) this.#body.insertBefore(row, this.#body.children[i] ?? null);
    });
  }
}
