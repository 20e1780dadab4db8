import { element, write, mark, dot, nodeDots, nodeWords, stateWords } from './elements.js';
import { Diagram } from './diagram.js';
import { Panel } from './panel.js';
import { Summary } from './summary.js';
import { Slowest } from './slow.js';
import { Table } from './table.js';
import { Jobs } from './jobs.js';
import { Cache } from './cache.js';
import { open } from './stream.js';
import * as format from './format.js';

const at = id => document.getElementById(id);
const staleAfter = 4000;
let latest = null;
let received = 0;
let connection = 'waiting';
let said = new Map();

const panel = new Panel(at('panel'), id => {
  diagram.expanded(id);
  location.hash = id ? `#${encodeURIComponent(id)}` : '';
});
const show = id => panel.toggle(id, latest);
const diagram = new Diagram(at('diagram'), at('tightest'), show);
const table = new Table(at('table-view'), show);
const summary = new Summary(at('summary'));
new Slowest(at('slowest'));

open({
  frame(frame) {
    latest = frame;
    received = Date.now();
    render();
  },
  state(state) {
    if (state === 'refused') location.reload();
    connection = state;
    renderConnection();
  },
});
setInterval(renderConnection, 1000);

function render() {
  const title = latest.stack || 'Ashlar';
  document.title = `${title} · Ashlar`;
  write(at('stack'), title);
  write(at('release'), latest.release);
  at('release').hidden = !latest.release;
  write(at('activity'), latest.activity);
  renderHealth();
  summary.show(latest);
  diagram.show(latest);
  table.show(latest);
  panel.show(latest);
  renderHappenings();
  renderOwn();
  renderConnection();
  announce();
}

function renderHealth() {
  const wanted = latest.nodes.reduce((sum, node) => sum + (node.wanted ?? 0), 0);
  const ready = latest.nodes.reduce((sum, node) => sum + Math.min(node.ready ?? 0, node.wanted ?? 0), 0);
  const [state, text] = !latest.stack ? ['unknown', 'Nothing known yet']
    : latest.healthy ? ['ok', 'All healthy']
    : latest.nodes.some(node => node.state === 'down') ? ['down', `${ready} of ${wanted} healthy`]
    : ['degraded', wanted === 0 ? 'Nothing runs' : `${ready} of ${wanted} healthy`];
  const health = at('health');
  if (health.dataset.state !== state) {
    health.dataset.state = state;
    health.querySelector('.glyph').replaceChildren(dot({ ok: 'Healthy', down: 'Crashed', degraded: 'Unhealthy', unknown: 'Pending' }[state]));
  }
  write(at('health-text'), text);
}

// Notices are told apart by a key, so that a button in one keeps its focus while its text changes.
function renderConnection() {
  const now = Date.now();
  const age = received ? now - received : 0;
  const lost = connection === 'lost' || (received > 0 && age > staleAfter);
  const live = at('live');
  live.dataset.state = lost ? 'lost' : connection === 'live' ? 'live' : 'waiting';
  write(at('live-text'), lost ? (received ? `last seen ${format.since(received, now)} ago` : 'no answer') : connection === 'live' ? 'live' : 'connecting');
  document.body.classList.toggle('stale', lost && received > 0);

  const notices = [];
  if (lost) {
    notices.push({
      key: 'dashboard', kind: 'bad', title: 'The dashboard does not answer. ',
      text: received ? `What you see is from ${format.clock(received)}; it is tried again all the time. ashlar status tells how the stack is.` : 'It is tried again all the time. Is the stack up?',
    });
  } else if (latest) {
    if (!latest.agent.connected) {
      notices.push({
        key: 'agent', kind: 'warn', title: 'The agent does not answer. ',
        text: latest.agent.seen
          ? `States are those of ${format.since(latest.agent.seen, now)} ago; traffic is live. What runs goes on. ashlar up starts the agent again.`
          : 'The tree of what runs is not known yet.',
      });
    }
    for (const node of latest.nodes) {
      const failed = node.instances.filter(i => i.state === 'Crashed' || i.state === 'Backoff');
      if (failed.length === 0) continue;
      const lines = failed.find(i => i.lastLines.length)?.lastLines ?? [];
      notices.push({
        key: `crash:${node.id}`, kind: 'bad', title: `${failed.map(i => i.name).join(', ')} ${failed[0].state === 'Crashed' && failed[0].detail === '' ? 'crashed. ' : 'ended: '}`,
        text: failed[0].detail || '', lines: lines.slice(-6), open: node.id,
      });
    }
    for (const problem of latest.problems) notices.push({ key: `problem:${problem}`, kind: 'warn', title: 'Not all can be measured. ', text: problem });
    if (latest.stack && !latest.release) notices.push({ key: 'fresh', kind: 'info', title: 'Nothing runs yet. ', text: 'ashlar up brings the stack up.' });
  }
  renderNotices(notices);
}

function renderNotices(notices) {
  const box = at('notices');
  const present = new Map([...box.children].map(child => [child.dataset.key, child]));
  for (const [key, child] of present) if (!notices.some(notice => notice.key === key)) child.remove();
  for (const notice of notices) {
    let item = present.get(notice.key);
    if (!item) {
      item = element('div', { class: 'notice', 'data-key': notice.key, 'data-kind': notice.kind },
        element('span', { class: 'glyph' }, dot({ bad: 'Crashed', warn: 'Unhealthy', info: 'Starting' }[notice.kind])),
        element('div', { class: 'body' }, element('strong'), element('span'), element('pre', { hidden: true, tabindex: 0, 'aria-label': 'Its last lines' })),
        notice.open ? element('button', { type: 'button', onclick: () => show(notice.open) }, `Open ${notice.open}`) : null);
      box.append(item);
    }
    write(item.querySelector('strong'), notice.title);
    write(item.querySelector('.body span'), notice.text);
    const lines = item.querySelector('pre');
    lines.hidden = !notice.lines?.length;
    if (notice.lines?.length) write(lines, notice.lines.join('\n'));
  }
}

const glyphs = { release: '▲', restart: '↻', crash: '✕', scale: '⇅' };

function renderHappenings() {
  const list = at('happenings');
  const key = latest.happenings.map(h => h.at + h.text).join();
  if (list.dataset.key === key && list.childElementCount) return;
  list.dataset.key = key;
  list.replaceChildren(...latest.happenings.length
    ? latest.happenings.map(h => element('li', {},
      element('span', { class: `glyph k-${h.kind}`, 'aria-hidden': 'true' }, glyphs[h.kind] ?? '•'),
      element('time', { datetime: new Date(h.at).toISOString() }, format.clock(h.at)),
      element('span', {}, h.text)))
    : [element('li', { class: 'empty' }, 'Nothing but traffic: no release, no restart, no crash.')]);
}

function renderOwn() {
  const box = at('own');
  for (const node of latest.nodes.filter(n => n.kind === 'own')) {
    let row = box.querySelector(`[data-id="${CSS.escape(node.id)}"]`);
    if (!row) {
      row = element('button', { type: 'button', 'data-id': node.id, onclick: () => show(node.id) },
        element('span', { class: 'glyph' }), element('span', { class: 'who' }, `${node.title} `, element('span', { class: 'soft' }, node.subtitle)),
        element('span', { class: 'num cpu' }), element('span', { class: 'num memory' }));
      box.append(row);
    }
    const state = nodeDots[node.state];
    if (row.dataset.state !== state) {
      row.dataset.state = state;
      row.querySelector('.glyph').replaceChildren(dot(state, nodeWords[node.state]));
    }
    write(row.querySelector('.cpu'), `${format.cores(node.instances.reduce((sum, i) => sum + i.cpu, 0))} cores`);
    write(row.querySelector('.memory'), format.bytes(node.instances.reduce((sum, i) => sum + i.memory, 0)));
  }
}

// Only changes of state are told, never figures.
function announce() {
  const news = [];
  const now = new Map();
  for (const node of latest.nodes) {
    const text = node.wanted ? `${node.title} ${nodeWords[node.state]}, ${node.ready} of ${node.wanted} instances` : `${node.title} ${nodeWords[node.state]}`;
    now.set(node.id, text);
    if (said.size && said.get(node.id) !== text) news.push(text);
  }
  for (const node of latest.nodes) {
    for (const instance of node.instances) {
      const key = `i:${instance.name}`;
      now.set(key, instance.state);
      if (said.has(key) && said.get(key) !== instance.state && instance.state === 'Crashed') news.push(`${instance.name} ${stateWords[instance.state]}`);
    }
  }
  said = now;
  if (news.length) write(at('announce'), news.slice(0, 4).join('. '));
}

// What each view shows; notices stand above all of them.
const views = {
  diagram: ['summary', 'diagram-view', 'slowest', 'columns'],
  table: ['summary', 'table-view', 'slowest', 'columns'],
  jobs: ['jobs-view'],
  cache: ['cache-view'],
};
const parts = new Set(Object.values(views).flat());
const pages = { jobs: new Jobs(at('jobs-view')), cache: new Cache(at('cache-view')) };

function view(name) {
  for (const part of parts) at(part).hidden = !views[name].includes(part);
  for (const other of Object.keys(views)) mark(at(`view-${other}`), 'aria-pressed', other === name ? 'true' : 'false');
  if (name in pages && panel.isOpen) panel.close();
  for (const page of Object.values(pages)) page.look();
  if (latest) {
    diagram.show(latest);
    table.show(latest);
  }
  history.replaceState(null, '', name in pages ? `#view=${name}` : location.pathname);
}
for (const name of Object.keys(views)) at(`view-${name}`).addEventListener('click', () => view(name));

at('theme').addEventListener('click', () => {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  root.dataset.theme = dark ? 'light' : 'dark';
  try {
    localStorage.setItem('ashlar-theme', root.dataset.theme);
  } catch {
    // It holds for this visit only.
  }
  panel.recolour();
});
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => panel.recolour());

document.addEventListener('keydown', event => {
  if (event.key === 'Escape' && panel.isOpen) {
    panel.close();
    event.preventDefault();
  }
});
if (location.hash.startsWith('#token=')) history.replaceState(null, '', location.pathname);
const asked = location.hash.replace('#view=', '');
if (asked in pages) view(asked);
