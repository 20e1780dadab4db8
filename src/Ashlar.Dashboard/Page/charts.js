import { element, write } from './elements.js';
import * as format from './format.js';

const ranges = [['5m', '5 minutes', 300], ['1h', '1 hour', 3600], ['24h', '24 hours', 86400]];
const again = { '1h': 10000, '24h': 60000 };
const sync = 'ashlar';
const binary = Array.from({ length: 44 }, (_, power) => 2 ** power);
const count = value => value == null ? '–' : format.rate(value);

// What each chart shows: series by name, each with its words and colour. A chart without any of them is left out.
const known = [
  { name: 'Requests a second', series: [['requests', 'all', 'series-1'], ['errors', 'failed', 'series-bad']], text: count, kinds: ['edge', 'service'] },
  { name: 'Latency', series: [['p50', 'p50', 'series-1'], ['p95', 'p95', 'series-2'], ['p99', 'p99', 'series-3']], text: format.millis, kinds: ['edge', 'service'] },
  { name: 'Transactions a second', series: [['database_transactions', 'all', 'series-1']], text: count },
  { name: 'Connections', series: [['database_connections', 'open', 'series-1'], ['engine_connections', 'open', 'series-1'], ['connections', 'open', 'series-1']], text: count },
  { name: 'Behind the primary', series: [['database_lag_bytes', 'bytes', 'series-2']], text: format.bytes, each: true },
  { name: 'Commands a second', series: [['engine_commands', 'all', 'series-1']], text: count },
  { name: 'Hits and misses a second', series: [['engine_hits', 'hits', 'series-1'], ['engine_misses', 'misses', 'series-3'], ['engine_evictions', 'evicted', 'series-bad']], text: count },
  { name: 'In flight and waiting', series: [['in_flight', 'in flight', 'series-2'], ['waiting', 'waiting', 'series-3']], text: count },
  { name: 'Cores', series: [['cpu', 'all', 'series-2']], text: format.cores, each: true, kinds: ['*'] },
  { name: 'Memory', series: [['engine_memory_bytes', 'data', 'series-1'], ['memory', 'all', 'series-2']], text: format.bytes, each: true, kinds: ['*'] },
];

// Charts of one node over one range, with one cursor and the marks of what happened.
export class Charts {
  #root;
  #says;
  #node;
  #range = '5m';
  #charts = [];
  #data = null;
  #timer = 0;
  #buttons;
  #asked = 0;
  #observer;

  constructor(root, buttons, says, node) {
    this.#root = root;
    this.#says = says;
    this.#node = node;
    this.#buttons = ranges.map(([name, title]) => {
      const button = element('button', { type: 'button', 'aria-pressed': name === this.#range ? 'true' : 'false', onclick: () => this.#choose(name) }, title);
      buttons.append(button);
      return button;
    });
    this.#observer = new ResizeObserver(() => this.#resize());
    this.#observer.observe(root);
    this.#load();
  }

  end() {
    clearTimeout(this.#timer);
    this.#asked++;
    this.#observer.disconnect();
    for (const chart of this.#charts) chart.plot?.destroy();
    this.#charts = [];
  }

  recolour() {
    this.#draw();
  }

  // The frame's second becomes the last point of the five minutes; longer ranges are asked for anew now and then.
  add(node, frame) {
    this.#node = node;
    if (this.#range !== '5m' || !this.#data) return;
    const { times, values } = this.#data;
    const second = Math.floor(frame.at / 1000);
    const put = (row, i, value) => { row[i] = value ?? row[i] ?? null; };
    while (times.length && times.at(-1) < second) {
      times.push(times.at(-1) + 1);
      for (const rows of Object.values(values)) for (const row of Object.values(rows)) row.push(null);
      if (times.length > 300) {
        times.shift();
        for (const rows of Object.values(values)) for (const row of Object.values(rows)) row.shift();
      }
    }
    const i = times.indexOf(second);
    if (i < 0) return;
    for (const [name, value] of Object.entries(node.now ?? {})) {
      values[name] ??= {};
      values[name][''] ??= times.map(() => null);
      put(values[name][''], i, value);
    }
    for (const name of ['cpu', 'memory']) {
      for (const instance of node.instances) {
        values[name] ??= {};
        values[name][instance.name] ??= times.map(() => null);
        put(values[name][instance.name], i, instance[name]);
      }
    }
    const fresh = frame.happenings.filter(h => !this.#data.happenings.some(old => old.at === h.at && old.text === h.text));
    this.#data.happenings.push(...fresh);
    this.#refresh();
  }

  #choose(name) {
    this.#range = name;
    ranges.forEach(([range], i) => this.#buttons[i].setAttribute('aria-pressed', range === name ? 'true' : 'false'));
    this.#load();
  }

  async #load() {
    clearTimeout(this.#timer);
    const asked = ++this.#asked;
    try {
      const answer = await fetch(`series?node=${encodeURIComponent(this.#node.id)}&range=${this.#range}`, { cache: 'no-store' });
      if (asked !== this.#asked) return;
      if (answer.ok) {
        this.#data = await answer.json();
        if (asked !== this.#asked) return;
        if (this.#data.times.length === 0) this.#empty();
        this.#draw();
      }
    } catch {
      // The stream tells that nobody answers.
    }
    if (asked === this.#asked && again[this.#range]) this.#timer = setTimeout(() => this.#load(), again[this.#range]);
  }

  // Without kept series the five minutes fill from now on.
  #empty() {
    const now = Math.floor(Date.now() / 1000);
    this.#data.times = Array.from({ length: 300 }, (_, i) => now - 299 + i);
  }

  #rows(chart) {
    const rows = [];
    for (const [name, title, colour] of chart.series) {
      const all = this.#data.values[name];
      if (!all) continue;
      const each = chart.each ? Object.keys(all).filter(key => key !== '') : [];
      if (each.length > 1) each.slice(0, 4).forEach((key, i) => rows.push({ title: key, colour: `series-${i + 1}`, row: all[key] }));
      else if (all[''] ?? all[each[0]]) rows.push({ title: chart.series.length > 1 || !chart.each ? title : each[0] ?? title, colour, row: all[''] ?? all[each[0]] });
    }
    return rows;
  }

  #draw() {
    for (const chart of this.#charts) chart.plot?.destroy();
    if (!this.#data) return;
    this.#charts = known.map(definition => ({ definition, rows: this.#rows(definition) }))
      .filter(({ definition, rows }) => rows.length > 0 && (rows.some(r => r.row.some(v => v != null)) || definition.kinds?.includes(this.#node.kind)));
    this.#root.replaceChildren(...this.#charts.map(chart => this.#make(chart)));
    if (this.#charts.length === 0) this.#root.append(element('div', { class: 'chart' }, element('p', { class: 'none' }, 'Nothing has been measured yet. The first figures come within two seconds.')));
    this.#refresh();
  }

  #refresh() {
    if (!this.#data) return;
    const stale = known.some(definition => this.#rows(definition).length !== (this.#charts.find(c => c.definition === definition)?.rows.length ?? 0)
      && this.#rows(definition).some(r => r.row.some(v => v != null)));
    if (stale) {
      this.#draw();
      return;
    }
    for (const chart of this.#charts) {
      chart.rows = this.#rows(chart.definition);
      chart.plot.setData([this.#data.times, ...chart.rows.map(r => r.row)]);
      if (chart.plot.cursor.idx == null) this.#values(chart, null);
    }
  }

  #make(chart) {
    const style = getComputedStyle(document.documentElement);
    const colour = name => style.getPropertyValue(`--${name}`).trim();
    const holder = element('div');
    chart.values = chart.rows.map(() => element('b', {}, '–'));
    const head = element('div', { class: 'chart-head' }, element('span', { class: 'name' }, chart.definition.name),
      element('span', { class: 'values' }, chart.rows.map((row, i) => {
        const key = element('i');
        key.style.color = colour(row.colour);
        return element('span', {}, key, chart.rows.length > 1 ? row.title : '', chart.values[i]);
      })));
    const axis = { stroke: colour('soft'), grid: { stroke: colour('line'), width: 1 }, ticks: { show: false }, font: '11px system-ui, sans-serif' };
    chart.plot = new window.uPlot({
      width: Math.max(200, this.#root.clientWidth), height: 128, ms: 1e-3, legend: { show: false }, padding: [8, 14, 0, 0],
      cursor: { sync: { key: sync, setSeries: false }, drag: { x: false, y: false }, points: { size: 6 } },
      scales: { x: { time: true }, y: { range: (_, low, high) => [0, high > 0 ? high * 1.15 : 1] } },
      axes: [
        { ...axis, space: 90, size: 26, values: (_, ticks) => ticks.map(t => new Date(t * 1000).toLocaleTimeString('en-GB', this.#range === '5m' ? {} : { hour: '2-digit', minute: '2-digit' })) },
        { ...axis, size: 64, space: 34, values: (_, ticks) => ticks.map(t => t === 0 ? '0' : chart.definition.text(t)), ...(chart.definition.text === format.bytes ? { incrs: binary } : {}) },
      ],
      series: [{}, ...chart.rows.map((row, i) => ({
        stroke: colour(row.colour), width: 1.6, fill: chart.rows.length === 1 ? colour(row.colour) + '1f' : undefined, dash: i === 1 ? [6, 3] : i === 2 ? [2, 3] : undefined,
        points: { show: false }, spanGaps: this.#range !== '5m',
      }))],
      hooks: {
        draw: [plot => this.#marks(plot, colour)],
        setCursor: [plot => { this.#values(chart, plot.cursor.idx); this.#sayMark(plot); }],
      },
    }, [this.#data.times, ...chart.rows.map(r => r.row)], holder);
    chart.rows.forEach((_, i) => { if (i === 1) head.querySelectorAll('i')[i].dataset.dash = '1'; });
    holder.setAttribute('role', 'img');
    holder.setAttribute('aria-label', `Chart: ${chart.definition.name} of ${this.#node.title}`);
    return element('div', { class: 'chart' }, head, holder);
  }

  #values(chart, index) {
    chart.rows.forEach((row, i) => {
      const value = index == null ? row.row.findLast(v => v != null) : row.row[index];
      write(chart.values[i], value == null ? '–' : chart.definition.text(value));
    });
  }

  #marks(plot, colour) {
    const { ctx } = plot;
    const ratio = devicePixelRatio;
    ctx.save();
    for (const happening of this.#data.happenings) {
      const x = plot.valToPos(happening.at / 1000, 'x', true);
      if (x < plot.bbox.left || x > plot.bbox.left + plot.bbox.width) continue;
      ctx.strokeStyle = ctx.fillStyle = colour({ release: 'accent', crash: 'bad', restart: 'info' }[happening.kind] ?? 'none');
      ctx.lineWidth = ratio;
      ctx.setLineDash(happening.kind === 'release' ? [] : [3 * ratio, 3 * ratio]);
      ctx.beginPath();
      ctx.moveTo(x, plot.bbox.top);
      ctx.lineTo(x, plot.bbox.top + plot.bbox.height);
      ctx.stroke();
      ctx.setLineDash([]);
      ctx.beginPath();
      const size = 4 * ratio, top = plot.bbox.top;
      if (happening.kind === 'release') {
        ctx.moveTo(x - size, top); ctx.lineTo(x + size, top); ctx.lineTo(x, top + 1.7 * size);
      } else {
        ctx.arc(x, top + size * 0.6, size * 0.8, 0, 7);
      }
      ctx.fill();
    }
    ctx.restore();
  }

  #sayMark(plot) {
    const x = plot.cursor.left;
    const near = x < 0 ? null : this.#data.happenings.filter(h => Math.abs(plot.valToPos(h.at / 1000, 'x') - x) < 8).at(-1);
    write(this.#says, near ? `${format.clock(near.at)} ${near.text}` : x >= 0 && plot.cursor.idx != null ? format.clock(this.#data.times[plot.cursor.idx] * 1000) : '');
  }

  #resize() {
    const width = Math.max(200, this.#root.clientWidth);
    for (const chart of this.#charts) if (chart.plot && chart.plot.width !== width) chart.plot.setSize({ width, height: 128 });
  }
}
