import { element, drawing, write, mark, dot, nodeDots, nodeWords, stateWords } from './elements.js';
import * as format from './format.js';

const courses = [
  ['browser', 'Visitors', ['browser']],
  ['edge', 'Edge', ['dns', 'edge']],
  ['services', 'Services', ['service', 'worker', 'jobs']],
  ['data', 'Data', ['database', 'replicas', 'queue', 'cache']],
];
const kindsKnown = new Set(courses.flatMap(([, , kinds]) => kinds));
const radius = 15;
const around = 2 * Math.PI * radius;

// Browsers to replicas, from left to right (on narrow screens from top to bottom). Nodes are buttons that the browser lays out; the
// lines between them are drawn from where it has put them.
export class Diagram {
  #root;
  #tightest;
  #open;
  #plane;
  #lines;
  #nodes = new Map();
  #links = new Map();
  #shape = '';
  #frame;
  #expanded = null;

  constructor(root, tightest, open) {
    this.#root = root;
    this.#tightest = tightest;
    this.#open = open;
    new ResizeObserver(() => this.#place()).observe(root);
    root.addEventListener('keydown', event => this.#move(event));
  }

  show(frame) {
    this.#frame = frame;
    const nodes = frame.nodes.filter(node => node.kind !== 'own');
    const shape = nodes.map(node => `${node.id}:${node.kind}`).join() + '|' + frame.links.map(link => `${link.from}>${link.to}`).join();
    if (shape !== this.#shape) {
      this.#shape = shape;
      this.#build(nodes, frame.links);
    }
    for (const node of nodes) this.#update(this.#nodes.get(node.id), node, frame);
    this.#rates(frame.links);
    this.#say(frame);
  }

  expanded(id) {
    this.#expanded = id;
    for (const [key, node] of this.#nodes) if (node.kind !== 'browser') mark(node.root, 'aria-expanded', key === id ? 'true' : 'false');
  }

  #build(nodes, links) {
    const focused = document.activeElement?.dataset?.id;
    this.#nodes.clear();
    this.#links.clear();
    this.#lines = drawing('svg', { 'aria-hidden': 'true' });
    this.#plane = element('div', { class: 'plane' }, this.#lines);
    for (const [name, title, kinds] of courses) {
      // What this page has not heard of stands in the last course.
      const here = nodes.filter(node => kinds.includes(node.kind) || (name === 'data' && !kindsKnown.has(node.kind)));
      if (here.length === 0) continue;
      // Replicas stand beside their primary.
      here.sort((a, b) => kinds.indexOf(a.kind) - kinds.indexOf(b.kind));
      const made = here.map(node => this.#make(node));
      const inside = name === 'services' ? [element('div', { class: 'group' }, made)] : made;
      this.#plane.append(element('div', { class: `course ${name}` }, element('div', { class: 'label', 'aria-hidden': 'true' }, title), inside));
    }
    for (const link of links) {
      const strokes = link.kind === 'stream' ? 2 : 1;
      const parts = {
        solid: Array.from({ length: strokes }, () => drawing('path', { class: 'link' })),
        flow: drawing('path', { class: 'link flow', hidden: true }),
      };
      this.#lines.append(...parts.solid, parts.flow);
      this.#links.set(`${link.from}>${link.to}`, { link, ...parts });
    }
    this.#root.replaceChildren(this.#plane);
    this.expanded(this.#expanded);
    if (nodes.length === 0) {
      this.#root.replaceChildren(element('p', { class: 'soft' }, 'Nothing runs yet. ashlar up brings the stack up; it appears here while it starts.'));
    }
    if (focused) this.#nodes.get(focused)?.root.focus();
    this.#place();
  }

  #make(node) {
    const parts = { kind: node.kind };
    const fact = name => {
      const value = element('b', {}, '–');
      const made = element('span', { class: 'fact' }, value, element('span', {}, name));
      return { made, value, name: made.lastChild };
    };
    parts.title = element('span', { class: 'title' }, node.title);
    parts.subtitle = element('span', { class: 'subtitle' });
    if (node.kind === 'browser') {
      parts.rate = fact('req/s');
      parts.root = element('div', { class: 'node', 'data-kind': node.kind, 'data-id': node.id },
        drawing('svg', { class: 'screen', viewBox: '0 0 34 26', width: 34, height: 26, 'aria-hidden': 'true' },
          drawing('rect', { x: 1, y: 1, width: 32, height: 24, rx: 4, fill: 'none', stroke: 'currentColor', 'stroke-width': 1.6 }),
          drawing('path', { d: 'M1 8h32', stroke: 'currentColor', 'stroke-width': 1.6 }),
          drawing('circle', { cx: 5, cy: 4.6, r: 1, fill: 'currentColor' }), drawing('circle', { cx: 8.6, cy: 4.6, r: 1, fill: 'currentColor' })),
        parts.title, parts.subtitle);
      this.#nodes.set(node.id, parts);
      return parts.root;
    }
    parts.rate = fact(node.unit);
    parts.errors = fact('errors');
    parts.p95 = fact('p95');
    parts.full = drawing('circle', { class: 'full', cx: 19, cy: 19, r: radius, 'stroke-dasharray': `0 ${around}`, transform: 'rotate(-90 19 19)' });
    parts.percent = drawing('text', { x: 19, y: 19.5 });
    parts.ring = drawing('svg', { class: 'ring', width: 38, height: 38, viewBox: '0 0 38 38', 'aria-hidden': 'true' },
      drawing('circle', { class: 'rail', cx: 19, cy: 19, r: radius }), parts.full, parts.percent);
    parts.dots = element('span', { class: 'dots' });
    parts.count = element('span', { class: 'count' });
    parts.flag = element('span', { class: 'flag', hidden: true });
    parts.root = element('button', {
      type: 'button', class: 'node', 'data-kind': node.kind, 'data-id': node.id, 'aria-expanded': 'false', 'aria-controls': 'panel',
      onclick: () => this.#open(node.id),
    }, parts.title, parts.ring, parts.subtitle, element('span', { class: 'facts' }, parts.rate.made, parts.errors.made, parts.p95.made), parts.dots, parts.flag);
    this.#nodes.set(node.id, parts);
    return parts.root;
  }

  #update(parts, node, frame) {
    write(parts.title, node.title);
    if (node.kind === 'browser') {
      write(parts.subtitle, node.subtitle || 'no connection');
      return;
    }
    write(parts.subtitle, node.subtitle);
    mark(parts.root, 'data-state', node.state);
    this.#facts(parts, node);
    const share = node.fill?.share;
    parts.ring.style.visibility = share == null ? 'hidden' : 'visible';
    if (share != null) {
      parts.full.style.visibility = share < 0.01 ? 'hidden' : '';
      parts.full.setAttribute('stroke-dasharray', `${(around * Math.min(1, share)).toFixed(1)} ${around}`);
      mark(parts.ring, 'data-level', share >= 0.95 ? 'full' : share >= 0.75 ? 'high' : 'fine');
      write(parts.percent, String(Math.round(share * 100)));
    }
    const tight = frame.tightest?.node === node.id && frame.tightest.limiting;
    mark(parts.root, 'data-tightest', tight);
    parts.flag.hidden = !tight;
    if (tight) write(parts.flag, `bottleneck: ${frame.tightest.limit}`);
    this.#dots(parts, node);
    mark(parts.root, 'aria-label', this.#describe(node, frame));
  }

  #facts(parts, node) {
    const facts = this.#factsOf(node);
    [parts.rate, parts.errors, parts.p95].forEach((fact, i) => {
      const [value, name, bad] = facts[i] ?? ['', ''];
      write(fact.value, value);
      write(fact.name, name);
      fact.made.classList.toggle('bad', bad === true);
    });
  }

  #factsOf(node) {
    const cpu = [format.cores(node.instances.reduce((sum, i) => sum + i.cpu, 0)), 'cores'];
    const memory = [format.size(node.instances.reduce((sum, i) => sum + i.memory, 0)), 'memory'];
    const now = node.now ?? {};
    switch (node.kind) {
      case 'edge':
      case 'service':
        return [[format.rate(node.rate), 'req/s'], [format.percent(node.errorShare), 'errors', node.errorShare >= 0.01], [format.millis(node.p95), 'p95']];
      case 'dns':
      case 'jobs':
      case 'worker':
        return [memory, cpu, []];
      case 'replicas': {
        const lag = Math.max(...node.instances.map(i => i.lagBytes ?? 0), 0);
        return [[format.size(lag), 'behind', lag > 64 << 20], cpu, []];
      }
      case 'database':
        return [[format.rate(node.rate), 'tx/s'], [now.database_connections == null ? '–' : format.number(now.database_connections, 0), 'conns'], cpu];
      default: {
        const asked = (now.engine_hits ?? 0) + (now.engine_misses ?? 0);
        return [[format.rate(node.rate), 'ops/s'], node.kind === 'cache' ? [asked > 0 ? format.percent(now.engine_hits / asked) : '–', 'hits'] : cpu,
          [format.size(now.engine_memory_bytes ?? node.instances.reduce((sum, i) => sum + i.memory, 0)), 'memory']];
      }
    }
  }

  #dots(parts, node) {
    const key = node.instances.map(i => `${i.name}:${i.state}`).join() + node.state + node.ready + node.wanted;
    if (parts.key === key) return;
    parts.key = key;
    const shown = node.instances.slice(0, 12);
    const more = node.instances.length - shown.length;
    write(parts.count, node.state === 'maintenance' ? 'maintenance' : node.state === 'stopped' ? (node.subtitle === 'run by hand' ? 'none wanted' : 'stopped') : node.ready >= node.wanted ? `${node.ready} healthy` : `${node.ready} of ${node.wanted}`);
    parts.dots.replaceChildren(...shown.map(i => dot(i.state, `${i.name} ${stateWords[i.state]}`)), ...(more > 0 ? [`+${more}`] : []), parts.count);
  }

  #describe(node, frame) {
    const parts = [`${node.title}, ${nodeWords[node.state]}, ${node.ready} of ${node.wanted} instances healthy`];
    for (const [value, name] of this.#factsOf(node)) if (value && value !== '–') parts.push(`${name} ${value}`);
    if (node.fill) parts.push(`${Math.round(node.fill.share * 100)} % full`);
    if (frame.tightest?.node === node.id && frame.tightest.limiting) parts.push(`bottleneck: ${frame.tightest.reason}`);
    return parts.join('. ');
  }

  #say(frame) {
    const edge = frame.nodes.find(node => node.kind === 'edge');
    const tight = frame.tightest;
    const content = tight && (tight.limiting || edge?.rate > 0)
      ? [element('b', {}, tight.limiting ? 'Bottleneck: ' : ''), tight.reason]
      : edge && !edge.rate && frame.urls.length
        ? ['No requests at the moment. Open ', element('b', {}, frame.urls[0]), ' and watch them pass.']
        : [];
    this.#tightest.hidden = content.length === 0;
    mark(this.#tightest, 'data-limiting', tight?.limiting ? 'true' : 'false');
    const text = content.map(part => part.textContent ?? part).join('');
    if (this.#tightest.textContent !== text) this.#tightest.replaceChildren(...content.map(part => typeof part === 'string' ? element('span', {}, part) : part));
  }

  #rates(links) {
    for (const link of links) {
      const drawn = this.#links.get(`${link.from}>${link.to}`);
      if (!drawn) continue;
      const rate = link.rate ?? 0;
      const width = 1.6 + Math.min(9, 2.1 * Math.log10(1 + rate));
      const states = [link.from, link.to].map(id => this.#frame.nodes.find(node => node.id === id)?.state);
      for (const line of drawn.solid) {
        line.style.strokeWidth = link.kind === 'stream' ? '1.8' : width.toFixed(2);
        line.classList.toggle('quiet', rate === 0 && link.kind !== 'stream');
        line.classList.toggle('bad', states.includes('down'));
      }
      const moves = rate > 0.05 || link.kind === 'stream';
      drawn.flow.toggleAttribute('hidden', !moves);
      drawn.flow.style.display = moves ? '' : 'none';
      drawn.flow.style.strokeWidth = link.kind === 'stream' ? '2.6' : Math.max(2.4, width * 0.55).toFixed(2);
      const pace = `${Math.max(0.9, 3.4 - 0.7 * Math.log10(1 + rate)).toFixed(1)}s`;
      if (drawn.flow.style.getPropertyValue('--pace') !== pace) drawn.flow.style.setProperty('--pace', pace);
    }
  }

  // Lines end at the borders of what they join; several into one node share its border evenly.
  #place() {
    if (!this.#plane?.isConnected || this.#root.offsetParent === null) return;
    const plane = this.#plane.getBoundingClientRect();
    const down = getComputedStyle(this.#plane).flexDirection === 'column';
    const box = id => (id === 'services' ? this.#plane.querySelector('.group') : this.#nodes.get(id)?.root)?.getBoundingClientRect();
    const out = this.#shares('from', down, box);
    const into = this.#shares('to', down, box);
    for (const [key, { link, solid, flow }] of this.#links) {
      const a = box(link.from), b = box(link.to);
      if (!a || !b) continue;
      const below = down || b.left < a.right;
      const from = below ? [a.left + a.width * out.get(key), a.bottom] : [a.right, a.top + a.height * out.get(key)];
      const to = below ? [b.left + b.width * into.get(key), b.top] : [b.left, b.top + b.height * into.get(key)];
      const path = shift => this.#curve([from[0] - plane.left, from[1] - plane.top], [to[0] - plane.left, to[1] - plane.top], below, shift);
      solid.forEach((line, i) => line.setAttribute('d', path(solid.length === 1 ? 0 : i * 6 - 3)));
      flow.setAttribute('d', path(0));
    }
  }

  #curve([x1, y1], [x2, y2], below, shift) {
    if (below) {
      const half = (y2 - y1) / 2;
      return `M${x1 + shift} ${y1}C${x1 + shift} ${y1 + half} ${x2 + shift} ${y2 - half} ${x2 + shift} ${y2}`;
    }
    const half = (x2 - x1) / 2;
    return `M${x1} ${y1 + shift}C${x1 + half} ${y1 + shift} ${x2 - half} ${y2 + shift} ${x2} ${y2 + shift}`;
  }

  // Where along a node's border each of its lines begins or ends, in the order of what is at the other end.
  #shares(end, down, box) {
    const groups = Map.groupBy(this.#links, ([, { link }]) => link[end] + (link.kind === 'stream' ? '=' : ''));
    const shares = new Map();
    for (const group of groups.values()) {
      const other = end === 'from' ? 'to' : 'from';
      const sorted = group.toSorted(([, a], [, b]) => {
        const [p, q] = [box(a.link[other]), box(b.link[other])];
        return p && q ? (down ? p.left - q.left : p.top - q.top) : 0;
      });
      sorted.forEach(([key], i) => shares.set(key, (i + 1) / (sorted.length + 1)));
    }
    return shares;
  }

  #move(event) {
    const here = document.activeElement;
    if (!event.key.startsWith('Arrow') || !here?.classList.contains('node')) return;
    const from = here.getBoundingClientRect();
    const middle = r => [r.left + r.width / 2, r.top + r.height / 2];
    const [x, y] = middle(from);
    const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    let best = null, least = Infinity;
    for (const node of this.#root.querySelectorAll('button.node')) {
      const [nx, ny] = middle(node.getBoundingClientRect());
      const along = (nx - x) * dx + (ny - y) * dy;
      const across = Math.abs((nx - x) * dy) + Math.abs((ny - y) * dx);
      if (node !== here && along > 4 && along + 2 * across < least) [best, least] = [node, along + 2 * across];
    }
    if (best) best.focus();
    event.preventDefault();
  }
}
