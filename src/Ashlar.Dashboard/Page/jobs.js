import { element, write } from './elements.js';
import { asking } from './asking.js';
import { Orders, quoted } from './orders.js';
import { Rows } from './rows.js';
import { Totals } from './totals.js';
import * as format from './format.js';

const interval = 2000;
const staleAfter = 20000;
const mostCounted = 100000;
const count = value => value > mostCounted ? `>${format.number(mostCounted, 0)}` : format.number(value, 0);
const time = value => value == null ? '–' : new Date(value).toLocaleString('en-GB', { day: '2-digit', month: 'short', hour: '2-digit', minute: '2-digit', second: '2-digit' });
const errorOf = text => element('span', { class: 'why', title: text }, text || '–');

// The queues, what failed, what is dead, and what the clock does. It asks only while it is seen.
export class Jobs {
  #orders = new Orders();
  #since = element('p', { class: 'soft since' });
  #totals = new Totals();
  #filled = element('div', { class: 'stack', hidden: true });
  #empty;
  #queues = new Rows('Queues', ['Queue', '>Ready', '>Oldest', '>Running', '>Scheduled', '>Retries', '>Dead', '>Done a minute', '>Done in an hour', ''], '', queue => [
    queue.queue, count(queue.ready), queue.oldestSeconds == null ? '–' : format.since(0, queue.oldestSeconds * 1000), count(queue.inFlight), count(queue.scheduled), count(queue.retries),
    element('span', { class: queue.dead ? 'bad' : null }, count(queue.dead)), format.number(queue.doneLately, 0), format.number(queue.done, 0),
    queue.paused ? 'paused' : queue.declared ? '' : 'not in the stack file',
  ]);
  #schedules = new Rows('Schedules', ['Schedule', 'When', 'Next', 'Last', ''], 'Nothing is done by the clock. Name it under schedule: in the stack file.', schedule => [
    schedule.schedule, element('code', {}, schedule.cron), time(schedule.next), time(schedule.last),
    schedule.paused ? 'paused' : schedule.leftOut ?? (schedule.lastJob ? `job ${schedule.lastJob}` : ''),
  ]);
  #failures = new Rows('Newest failures', ['Job', 'Queue', 'Failed', 'Next attempt', 'Error', ''], 'No attempt failed of the jobs that are still to be done.', failure => [
    String(failure.id), failure.queue, time(failure.failed), `${failure.attempt} of ${failure.attempts}, ${time(failure.due)}`, errorOf(failure.error), this.#buttons(failure.id),
  ]);
  #dead = new Rows('Dead letters', ['Job', 'Queue', 'Died', 'Attempts', 'Error', ''], 'None: every job was done, or is still to be.', job => [
    String(job.id), job.queue, time(job.at), `${job.attempt} of ${job.attempts}`, errorOf(job.error), this.#buttons(job.id),
  ]);

  constructor(root) {
    this.#empty = element('div', { class: 'card page-part empty-state', hidden: true },
      element('h3', {}, 'No queues'),
      element('p', {}, 'Name one in the stack file, say who does its jobs, and run ashlar up:'),
      element('pre', { tabindex: 0, 'aria-label': 'Lines of the stack file' }, 'jobs:\n  emails: {to: worker, path: /jobs/emails}'),
      element('p', {}, 'Then any part of the app enqueues, in its own transaction:'),
      element('pre', { tabindex: 0, 'aria-label': 'How to enqueue' }, 'select ashlar.enqueue(\'emails\', \'{"order": 7}\');'));
    const part = (title, rows) => element('section', { class: 'card page-part', 'aria-label': title }, element('h3', {}, title), rows.root);
    this.#filled.append(this.#orders.root, this.#totals.root, part('Queues', this.#queues), part('Dead letters', this.#dead), part('Newest failures', this.#failures), part('Schedules', this.#schedules));
    root.append(this.#since, this.#empty, this.#filled);
    this.look = asking('jobs', interval, () => !root.hidden, answer => this.#show(answer.picture));
  }

  #buttons(id) {
    return element('span', { class: 'actions' },
      this.#orders.button('Retry', `ashlar jobs retry ${id}`, `Retry job ${id}`), this.#orders.button('Discard', `ashlar jobs discard ${id}`, `Discard job ${id}`));
  }

  #show(picture) {
    const none = !picture || (picture.queues.length === 0 && picture.schedules.length === 0);
    this.#empty.hidden = !none;
    this.#filled.hidden = none;
    const age = picture ? Date.now() - Date.parse(picture.at) : 0;
    write(this.#since, age > staleAfter ? `As of ${time(picture.at)}: the jobs process says nothing since, or runs on another machine. ashlar jobs asks the database itself.` : '');
    if (none) return;
    const sum = of => picture.queues.reduce((all, queue) => all + of(queue), 0);
    this.#totals.show([['ready', sum(q => q.ready)], ['running', sum(q => q.inFlight)], ['scheduled', sum(q => q.scheduled)], ['dead', sum(q => q.dead)], ['done a minute', sum(q => q.doneLately)]]
      .map(([name, value]) => [name, count(value)]));
    this.#queues.show(picture.queues, queue => queue.queue);
    this.#dead.show(picture.dead, job => job.id);
    this.#failures.show(picture.failures ?? [], failure => failure.id);
    this.#schedules.show(picture.schedules, schedule => schedule.schedule);
    const [worst] = [...picture.queues].filter(queue => queue.dead > 1).sort((a, b) => b.dead - a.dead);
    this.#all(worst?.queue);
  }

  // Many dead letters of one queue have mostly one cause.
  #all(queue) {
    const head = this.#dead.root.previousElementSibling;
    if (head.dataset.queue === (queue ?? '')) return;
    head.dataset.queue = queue ?? '';
    head.querySelector('button')?.remove();
    if (queue) head.append(' ', this.#orders.button(`Retry all of ${queue}`, `ashlar jobs retry --all ${quoted(queue)}`, `Retry all dead letters of ${queue}`));
  }
}
