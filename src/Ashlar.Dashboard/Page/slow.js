import { element, drawing } from './elements.js';
import { asking } from './asking.js';
import * as format from './format.js';

const interval = 3000;
const width = 240;
const parts = [['edge', 'in the edge'], ['queue', 'waiting for room'], ['connect', 'connecting'], ['first', 'until the answer began'], ['rest', 'the rest of the answer']];

// The slowest requests of the last minutes and where their time went. It asks only while it is open and seen.
export class Slowest {
  #body;
  #since;

  constructor(root) {
    this.#body = root.querySelector('.slow-body');
    this.#since = root.querySelector('.slow-since');
    root.querySelector('.slow-legend').replaceChildren(...parts.map(([name, words]) => element('span', {},
      drawing('svg', { viewBox: '0 0 10 10', width: 10, height: 10, 'aria-hidden': 'true' }, drawing('rect', { width: 10, height: 10, class: `slow-${name}` })), words)));
    root.addEventListener('toggle', asking('slowest', interval, () => root.open, answer => this.#show(answer)));
  }

  #show({ seconds, requests }) {
    this.#since.textContent = requests.length ? `of the last ${format.since(0, seconds * 1000)}` : '';
    const most = requests[0]?.ms || 1;
    this.#body.replaceChildren(...requests.length ? requests.map(request => this.#row(request, most))
      : [element('tr', {}, element('td', { class: 'empty', colspan: 4 }, 'No requests in the last five minutes.'))]);
  }

  #row(request, most) {
    const asked = request.upstream_ms ?? 0;
    const [queue, connect, first] = [request.queue_ms ?? 0, request.connect_ms ?? 0, Math.min(request.first_ms ?? asked, asked)];
    const spans = { edge: Math.max(0, request.ms - asked - queue - connect), queue, connect, first, rest: Math.max(0, asked - first) };
    let at = 0;
    const bar = parts.map(([name]) => {
      const length = spans[name] / most * width;
      const rect = drawing('rect', { x: at, y: 2, width: length, height: 10, class: `slow-${name}` });
      at += length;
      return rect;
    });
    const words = parts.filter(([name]) => spans[name] > 0).map(([name, text]) => `${format.millis(spans[name])} ${text}`).join(', ');
    return element('tr', {},
      element('td', { class: 'num' }, format.millis(request.ms)),
      element('td', {}, drawing('svg', { class: 'slow-bar', viewBox: `0 0 ${width} 14`, width, height: 14, role: 'img', 'aria-label': words }, drawing('title', {}, words), bar)),
      element('td', { class: 'slow-what' }, element('span', { class: request.status >= 500 || request.status === 0 ? 'bad' : null }, `${request.status || '–'} `), `${request.method} ${request.target}`),
      element('td', { class: 'soft' }, [request.instance ?? request.failure ?? 'edge', format.clock(Date.parse(request.time))].join(' · ')));
  }
}
