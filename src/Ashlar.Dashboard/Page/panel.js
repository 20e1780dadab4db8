import { element, write, dot, nodeDots, nodeWords, stateWords } from './elements.js';
import { Charts } from './charts.js';
import { Log } from './log.js';
import * as format from './format.js';

// What is known of one node: charts, processes, and what they write.
export class Panel {
  #root;
  #changed;
  #id = null;
  #opener = null;
  #charts;
  #log;
  #parts;

  constructor(root, changed) {
    this.#root = root;
    this.#changed = changed;
  }

  get isOpen() {
    return this.#id !== null;
  }

  toggle(id, frame) {
    if (this.#id === id) this.close();
    else this.open(id, frame);
  }

  open(id, frame) {
    const node = frame?.nodes.find(n => n.id === id);
    if (!node) return;
    if (!this.isOpen) this.#opener = document.activeElement;
    this.#end();
    this.#id = id;
    this.#build(node);
    this.#root.hidden = false;
    this.#changed(id);
    this.show(frame);
    this.#parts.title.focus();
  }

  close() {
    this.#end();
    this.#id = null;
    this.#root.hidden = true;
    this.#root.replaceChildren();
    this.#changed(null);
    if (this.#opener?.isConnected) this.#opener.focus();
  }

  recolour() {
    this.#charts?.recolour();
  }

  show(frame) {
    if (!this.isOpen) return;
    const node = frame.nodes.find(n => n.id === this.#id);
    if (!node) {
      this.close();
      return;
    }
    const { state, stateText, subtitle, rows } = this.#parts;
    if (state.dataset.state !== node.state) {
      state.dataset.state = node.state;
      state.replaceChildren(dot(nodeDots[node.state]));
    }
    write(stateText, nodeWords[node.state]);
    write(subtitle, [node.subtitle, ...node.routes.filter(route => route !== node.subtitle)].filter(Boolean).join(' · '));
    this.#instances(rows, node, frame.at);
    this.#charts.add(node, frame);
    this.#log.show(node);
  }

  #end() {
    this.#charts?.end();
    this.#log?.end();
    this.#charts = this.#log = null;
  }

  #build(node) {
    const title = element('h2', { id: 'panel-title', tabindex: -1 }, node.title);
    const state = element('span', { class: 'glyph' });
    const stateText = element('span');
    const subtitle = element('span', { class: 'soft' });
    const rows = element('tbody');
    const charts = element('div', { class: 'charts' });
    const says = element('div', { class: 'mark-says', role: 'status' });
    const ranges = element('div', { class: 'segments', role: 'group', 'aria-label': 'Range of the charts' });
    const log = element('section', { 'aria-label': `What ${node.title} writes` }, element('h3', {}, 'Log'));
    this.#charts = new Charts(charts, ranges, says, node);
    this.#log = new Log(log);
    this.#root.replaceChildren(
      element('div', { class: 'panel-head' }, title, element('span', { class: 'pill', 'data-state': node.state }, state, stateText), subtitle, element('span', { class: 'grow' }),
        element('button', { type: 'button', class: 'icon', 'aria-label': 'Close', onclick: () => this.close() }, '✕')),
      element('div', { class: 'panel-body' },
        element('section', { 'aria-label': 'Charts' }, element('div', { class: 'bar' }, ranges, says), charts),
        element('section', { 'aria-label': 'Processes' }, element('h3', {}, 'Processes'),
          element('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Processes' }, element('table', { class: 'instances' },
            element('thead', {}, element('tr', {}, ['Instance', 'Up', 'Release', 'Pid', 'Port', 'Restarts', 'Cores', 'Memory'].map((head, i) =>
              element('th', { scope: 'col', class: i > 2 ? 'num' : null }, head)))), rows))),
        log));
    this.#parts = { title, state, stateText, subtitle, rows };
  }

  #instances(rows, node, now) {
    const key = node.instances.map(i => `${i.name}/${i.machine}/${i.started}/${i.state}/${i.lastLines.length}/${i.detail === ''}`).join();
    if (rows.dataset.key !== key) {
      rows.dataset.key = key;
      rows.replaceChildren(...node.instances.flatMap(i => {
        const cells = Array.from({ length: 7 }, (_, n) => element('td', { class: n > 1 ? 'num' : null }));
        const row = element('tr', {}, element('th', { scope: 'row' }, element('span', { class: 'who' }, dot(i.state, stateWords[i.state]), i.name, i.machine ? element('span', { class: 'soft' }, `@${i.machine}`) : null, i.role ? element('span', { class: 'soft' }, i.role) : null)), cells);
        const why = i.detail || i.lastLines.length
          ? element('tr', { class: 'why' }, element('td', { colspan: 8 }, element('span', { class: 'detail' }), i.lastLines.length ? element('pre', { tabindex: 0, 'aria-label': `Last lines of ${i.name}` }, i.lastLines.join('\n')) : null))
          : null;
        return why ? [row, why] : [row];
      }));
    }
    let at = 0;
    for (const i of node.instances) {
      const cells = rows.children[at++].querySelectorAll('td');
      const values = [i.started ? format.since(i.started, now) : stateWords[i.state], i.release || '–', i.pids.length > 1 ? `${i.pids[0]} +${i.pids.length - 1}` : `${i.pids[0] ?? '–'}`,
        i.port || '–', i.restarts, format.cores(i.cpu), format.bytes(i.memory)];
      values.forEach((value, n) => write(cells[n], String(value)));
      if (i.pids.length > 1) cells[2].title = i.pids.join(' ');
      if (i.detail || i.lastLines.length) write(rows.children[at++].querySelector('.detail'), i.detail);
    }
  }
}
