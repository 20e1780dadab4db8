// Elements without any text being read as markup.
const svgSpace = 'http://www.w3.org/2000/svg';

export function element(name, properties = {}, ...children) {
  return fill(document.createElement(name), properties, children);
}

export function drawing(name, properties = {}, ...children) {
  return fill(document.createElementNS(svgSpace, name), properties, children);
}

function fill(made, properties, children) {
  for (const [key, value] of Object.entries(properties)) {
    if (value == null || value === false) continue;
    if (key.startsWith('on')) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value === true ? '' : value);
  }
  made.append(...children.flat().filter(child => child != null));
  return made;
}

// Touches the page only where something is new: selections and screen readers stay undisturbed.
export function write(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

export function mark(target, name, value) {
  if (value == null || value === false) target.removeAttribute(name);
  else if (target.getAttribute(name) !== String(value)) target.setAttribute(name, value);
}

// States by colour and by shape, so that either is enough.
const shapes = {
  healthy: () => [drawing('circle', { cx: 6, cy: 6, r: 5, fill: 'currentColor' })],
  starting: () => [drawing('circle', { cx: 6, cy: 6, r: 4.2, fill: 'none', stroke: 'currentColor', 'stroke-width': 1.6 }), drawing('path', { d: 'M6 1.8a4.2 4.2 0 0 1 0 8.4z', fill: 'currentColor' })],
  pending: () => [drawing('circle', { cx: 6, cy: 6, r: 4.2, fill: 'none', stroke: 'currentColor', 'stroke-width': 1.6, 'stroke-dasharray': '2 1.8' })],
  unhealthy: () => [drawing('path', { d: 'M6 .8 11.6 11H.4z', fill: 'currentColor' })],
  draining: () => [drawing('circle', { cx: 6, cy: 6, r: 4.2, fill: 'none', stroke: 'currentColor', 'stroke-width': 1.8 })],
  stopping: () => [drawing('circle', { cx: 6, cy: 6, r: 4.2, fill: 'none', stroke: 'currentColor', 'stroke-width': 1.8 }), drawing('path', { d: 'M3.6 6h4.8', stroke: 'currentColor', 'stroke-width': 1.8 })],
  stopped: () => [drawing('path', { d: 'M1.5 6h9', stroke: 'currentColor', 'stroke-width': 2.4, 'stroke-linecap': 'round' })],
  backoff: () => [drawing('path', { d: 'M6 .5 11.5 6 6 11.5.5 6z', fill: 'none', stroke: 'currentColor', 'stroke-width': 1.8 })],
  crashed: () => [drawing('path', { d: 'M2 2l8 8M10 2l-8 8', stroke: 'currentColor', 'stroke-width': 2.6, 'stroke-linecap': 'round' })],
};

export const stateWords = {
  Pending: 'waits', Starting: 'starting', Healthy: 'healthy', Unhealthy: 'unhealthy', Draining: 'draining',
  Stopping: 'stopping', Stopped: 'stopped', Backoff: 'waits to start again', Crashed: 'crashed',
};

export function dot(state, label) {
  const name = state.toLowerCase();
  const made = drawing('svg', { class: `dot s-${name}`, viewBox: '0 0 12 12', role: label ? 'img' : null, 'aria-hidden': label ? null : 'true' }, (shapes[name] ?? shapes.pending)());
  if (label) made.prepend(drawing('title', {}, label));
  return made;
}

// Of a node: the state of its worst instance stands for it.
export const nodeDots = { ok: 'Healthy', starting: 'Starting', degraded: 'Unhealthy', down: 'Crashed', stopped: 'Stopped', maintenance: 'Draining' };
export const nodeWords = { ok: 'healthy', starting: 'starting', degraded: 'degraded', down: 'down', stopped: 'stopped', maintenance: 'in maintenance' };
