import { element, drawing, write } from './elements.js';
import * as format from './format.js';

const kept = 120;
const figures = [
  ['requests', 'Requests', frame => edge(frame)?.rate, value => [format.rate(value), 'a second']],
  ['errors', 'Errors', frame => edge(frame)?.errorShare ?? (edge(frame)?.rate === 0 ? 0 : null), value => [value == null ? '–' : format.percent(value).replace(' %', ''), value == null ? '' : '%']],
  ['p95', 'Slowest 5 %', frame => edge(frame)?.p95, value => value == null ? ['–', ''] : [...split(format.millis(value))]],
  ['flight', 'In flight', frame => edge(frame)?.now?.in_flight, value => [value == null ? '–' : format.number(value, 0), '']],
  ['cpu', 'Processors', frame => frame.machine?.cpu, (value, frame) => [format.cores(value), frame.machine?.cores ? `of ${frame.machine.cores} cores` : '']],
  ['memory', 'Memory', frame => frame.machine?.memory, (value, frame) => [...split(format.bytes(value)), frame.machine?.memoryTotal ? `of ${format.bytes(frame.machine.memoryTotal)}` : '']],
];
// Where the two minutes before the page was opened come from.
const pasts = [['edge', v => v.requests], ['edge', v => v.errors?.map((e, i) => v.requests?.[i] > 0 ? e / v.requests[i] : e)], ['edge', v => v.p95], ['edge', v => v.in_flight], ['machine', v => v.cpu], ['machine', v => v.memory]];

const edge = frame => frame.nodes.find(node => node.kind === 'edge');
const split = text => text.split(' ');

// What the stack does as a whole, each with its last two minutes.
export class Summary {
  #past = figures.map(() => []);
  #parts = [];
  #recalled = false;

  constructor(root) {
    for (const [kind, name] of figures) {
      const area = drawing('path', { class: 'area' });
      const stroke = drawing('path', { class: 'stroke' });
      const value = element('span', {}, '–');
      const unit = element('small');
      const figure = element('div', { class: 'figure', 'data-kind': kind },
        element('div', { class: 'name' }, name), element('div', { class: 'value' }, value, unit),
        drawing('svg', { viewBox: `0 0 ${kept - 1} 40`, preserveAspectRatio: 'none', 'aria-hidden': 'true' }, area, stroke));
      root.append(figure);
      this.#parts.push({ root: figure, area, stroke, value, unit });
    }
  }

  async #recall() {
    const nodes = {};
    for (const id of ['edge', 'machine']) {
      try {
        const answer = await fetch(`series?node=${id}&range=5m`, { cache: 'no-store' });
        if (answer.ok) nodes[id] = await answer.json();
      } catch {
        // The lines begin now, then.
      }
    }
    pasts.forEach(([id, read], i) => {
      const { times, values } = nodes[id] ?? {};
      if (!times) return;
      const row = read(Object.fromEntries(Object.entries(values).map(([name, rows]) => [name, rows['']])));
      if (!row) return;
      const before = this.#past[i][0]?.second ?? Infinity;
      this.#past[i].unshift(...times.map((second, at) => ({ second, value: row[at] })).filter(point => point.second < before).slice(-kept));
      while (this.#past[i].length > kept) this.#past[i].shift();
    });
  }

  show(frame) {
    if (!this.#recalled && frame.stack) {
      this.#recalled = true;
      this.#recall();
    }
    figures.forEach(([, , read, text], i) => {
      const value = read(frame);
      const past = this.#past[i];
      const second = Math.floor(frame.at / 1000);
      if (past.at(-1)?.second === second) past.at(-1).value = value;
      else past.push({ second, value });
      while (past.length > kept) past.shift();
      const [number, ...units] = text(value, frame);
      write(this.#parts[i].value, number);
      write(this.#parts[i].unit, units.join(' '));
      // Failures are red; that there are none is not.
      this.#parts[i].root.classList.toggle('some', past.some(point => point.value > 0));
      this.#draw(this.#parts[i], past);
    });
  }

  #draw({ area, stroke }, past) {
    const top = Math.max(...past.map(point => point.value ?? 0)) * 1.15 || 1;
    const from = kept - past.length;
    // A second without a value keeps the one before: it is not zero.
    let last = 0;
    const points = past.map((point, i) => `${from + i} ${(38 - 36 * (last = point.value ?? last) / top).toFixed(1)}`);
    stroke.setAttribute('d', points.length > 1 ? `M${points.join('L')}` : '');
    area.setAttribute('d', points.length > 1 ? `M${from} 40L${points.join('L')}L${kept - 1} 40Z` : '');
  }
}
