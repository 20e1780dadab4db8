import { element, write } from './elements.js';
import * as format from './format.js';

const most = 1500;

// The end of the logs of a node, followed. The stream tells how long each log is; only what is new is asked for.
export class Log {
  #root;
  #names = [];
  #ends = new Map();
  #rows = [];
  #held = [];
  #paused = false;
  #filter = '';
  #asking = false;
  #ended = false;
  #box;
  #pause;
  #lengths = {};

  constructor(root) {
    this.#root = root;
    this.#pause = element('button', { type: 'button', 'aria-pressed': 'false', onclick: () => this.#toggle() }, 'Pause');
    const filter = element('input', { type: 'search', placeholder: 'Filter lines', 'aria-label': 'Show only lines that contain', oninput: event => this.#narrow(event.target.value) });
    this.#box = element('div', { class: 'log mono', role: 'log', 'aria-live': 'off', tabindex: 0, 'aria-label': 'Last lines' });
    root.append(element('div', { class: 'log-bar' }, filter, this.#pause), this.#box);
  }

  end() {
    this.#ended = true;
  }

  show(node) {
    this.#lengths = node.logs ?? {};
    this.#names = Object.keys(this.#lengths);
    this.#root.hidden = this.#names.length === 0;
    if (this.#names.some(name => this.#ends.get(name) !== this.#lengths[name])) this.#ask();
  }

  async #ask() {
    if (this.#asking || this.#ended) return;
    this.#asking = true;
    try {
      const of = this.#names.filter(name => this.#ends.get(name) !== this.#lengths[name]).slice(0, 32).map(name => `${name}:${this.#ends.get(name) ?? -1}`).join();
      const answer = await fetch(`log?of=${encodeURIComponent(of)}`, { cache: 'no-store' });
      if (!answer.ok || this.#ended) return;
      const lines = [];
      for (const part of (await answer.json()).parts) {
        const first = !this.#ends.has(part.name);
        this.#ends.set(part.name, part.end);
        if (part.gap && !first) lines.push({ name: part.name, gap: true, at: null });
        let at = 0;
        for (const line of part.lines) {
          at = line.at ?? at;
          lines.push({ name: part.name, text: line.text, at });
        }
      }
      if (lines.every(line => line.at)) lines.sort((a, b) => a.at - b.at);
      this.#add(lines);
    } catch {
      // The stream tells that nobody answers.
    } finally {
      this.#asking = false;
    }
  }

  #add(lines) {
    if (this.#paused) {
      this.#held.push(...lines);
      this.#held.splice(0, Math.max(0, this.#held.length - most));
      write(this.#pause, `Go on (${this.#held.length})`);
      return;
    }
    const atEnd = this.#box.scrollHeight - this.#box.scrollTop - this.#box.clientHeight < 30;
    this.#box.querySelector('.empty')?.remove();
    for (const line of lines) {
      const row = this.#row(line);
      this.#rows.push(row);
      this.#box.append(row.element);
    }
    while (this.#rows.length > most) this.#rows.shift().element.remove();
    if (this.#rows.length === 0) this.#box.replaceChildren(element('p', { class: 'empty' }, 'Nothing has been written yet.'));
    if (atEnd) this.#box.scrollTop = this.#box.scrollHeight;
  }

  #row(line) {
    if (line.gap) return { element: element('div', { class: 'gap' }, `… ${line.name} wrote more than is shown`), plain: '' };
    const colour = `c-${this.#names.indexOf(line.name) % 4}`;
    const request = line.name === 'requests' ? this.#request(line.text) : null;
    const text = element('span', { class: 'text' }, request ?? line.text);
    const made = { element: element('div', { class: 'row' }, element('span', { class: `from ${colour}` }, line.name), text), plain: line.text, text, rich: request !== null };
    this.#apply(made);
    return made;
  }

  #request(text) {
    try {
      const r = JSON.parse(text);
      return [`${format.clock(Date.parse(r.time))} `, element('span', { class: `st-${String(r.status)[0]}` }, String(r.status)), ` ${r.method} ${r.target}  `,
        element('span', { class: 'soft' }, `${format.millis(r.ms)}${r.instance ? ` · ${r.instance}` : ''}${r.failure ? ` · ${r.failure}` : ''}`)];
    } catch {
      return null;
    }
  }

  #toggle() {
    this.#paused = !this.#paused;
    this.#pause.setAttribute('aria-pressed', this.#paused ? 'true' : 'false');
    write(this.#pause, this.#paused ? 'Go on' : 'Pause');
    if (!this.#paused) this.#add(this.#held.splice(0));
  }

  #narrow(text) {
    this.#filter = text.toLowerCase();
    for (const row of this.#rows) this.#apply(row);
    this.#box.scrollTop = this.#box.scrollHeight;
  }

  #apply(row) {
    const at = this.#filter ? row.plain.toLowerCase().indexOf(this.#filter) : -1;
    row.element.hidden = this.#filter !== '' && at < 0;
    if (!row.text || row.rich) return;
    if (at >= 0) row.text.replaceChildren(row.plain.slice(0, at), element('mark', {}, row.plain.slice(at, at + this.#filter.length)), row.plain.slice(at + this.#filter.length));
    else if (row.text.firstElementChild) row.text.replaceChildren(row.plain);
  }
}
