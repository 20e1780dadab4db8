// peers.mjs client|graphile|pgboss: the part of bench/run jobs that speaks JavaScript. A command a line on standard input, an answer a line on standard
// output. `client` enqueues for all three, ours too, so that the client costs the same; `graphile` and `pgboss` are workers.
import http from 'node:http';
import readline from 'node:readline';
import * as graphile from 'graphile-worker';
import pg from 'pg';
import { PgBoss } from 'pg-boss';

const connectionString = process.env.BENCH_DATABASE;
const quiet = new graphile.Logger(() => () => {});
const boss = new PgBoss({ connectionString, useListenNotify: true, supervise: false, schedule: false, max: 12 });
boss.on('error', error => console.error(error));

/** Nanoseconds of the clock that only runs forward, the same in every process. */
const now = () => Number(process.hrtime.bigint());

// What each is asked for is what its documentation recommends for throughput.
const queues = {
  async ashlar(pool) {
    return {
      one: payload => pool.query({ name: 'one', text: "select ashlar.enqueue('bench', $1::jsonb)", values: [JSON.stringify(payload)] }),
      many: payloads => pool.query({ name: 'many', text: "select ashlar.enqueue_many('bench', $1::jsonb[])", values: [payloads.map(p => JSON.stringify(p))] }),
    };
  },
  async graphile(pool) {
    const utils = await graphile.makeWorkerUtils({ pgPool: pool, logger: quiet });
    await utils.migrate();
    return {
      one: payload => utils.addJob('bench', payload),
      many: payloads => utils.addJobs(payloads.map(payload => ({ identifier: 'bench', payload }))),
    };
  },
  async pgboss() {
    await boss.start();
    await boss.createQueue('bench', { notify: true });
    return { one: payload => boss.send('bench', payload), many: payloads => boss.insert('bench', payloads.map(data => ({ data }))) };
  },
};

async function client() {
  const pool = new pg.Pool({ connectionString, max: 12 });
  pool.on('error', error => console.error(error)).on('connect', connection => connection.on('error', error => console.error(error)));
  const known = {};
  for (const name of Object.keys(queues)) known[name] = await queues[name](pool);
  return {
    async single({ queue, count, clients }) {
      const add = known[queue].one;
      let left = count;
      return time(() => Promise.all(Array.from({ length: clients }, async () => { while (left-- > 0) await add({ t: 0 }); })));
    },
    async batch({ queue, count, size }) {
      const add = known[queue].many;
      return time(async () => { for (let sent = 0; sent < count; sent += size) await add(Array.from({ length: Math.min(size, count - sent) }, () => ({ t: 0 }))); });
    },
    async trickle({ queue, gaps }) {
      for (const gap of gaps) {
        await new Promise(resolve => setTimeout(resolve, gap));
        await known[queue].one({ t: now() });
      }
      return { count: gaps.length };
    },
  };
}

async function time(work) {
  const began = now();
  await work();
  return { seconds: (now() - began) / 1e9 };
}

/** What the jobs did, as the service notes it in the other case. */
class Log {
  count = 0; first = 0; last = 0; waits = [];
  begin(payload) { const at = now(); this.first ||= at; if (payload.t > 0) this.waits.push((at - payload.t) / 1e6); }
  end() { this.count++; this.last = now(); }
}

function poster(url, concurrency) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: concurrency });
  const target = new URL(url);
  return payload => new Promise((resolve, reject) => {
    const body = JSON.stringify(payload);
    const request = http.request(target, { agent, method: 'POST', headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) } }, response => {
      response.resume();
      response.on('end', () => (response.statusCode === 200 ? resolve() : reject(new Error(`status ${response.statusCode}`))));
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** Does the jobs of a batch, so many at once. */
async function some(jobs, concurrency, work) {
  let at = 0;
  await Promise.all(Array.from({ length: concurrency }, async () => { while (at < jobs.length) await work(jobs[at++]); }));
}

function worker(start) {
  let log = new Log(), stop;
  return {
    async start({ concurrency, url }) {
      const post = url ? poster(url, concurrency) : null;
      log = new Log();
      stop = await start(concurrency, async payload => {
        log.begin(payload);
        if (post) await post(payload);
        log.end();
      });
      return {};
    },
    async log() { const { count, first, last, waits } = log; return { count, first, last, waits }; },
    async stop() { await stop(); return {}; },
  };
}

async function graphileWorker() {
  return worker(async (concurrency, work) => {
    const runner = await graphile.run({
      noHandleSignals: true, logger: quiet, taskList: { bench: work },
      preset: { worker: { connectionString, concurrentJobs: concurrency, maxPoolSize: 12, localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 } },
    });
    return () => runner.stop();
  });
}

async function pgbossWorker() {
  await boss.start();
  return worker(async (concurrency, work) => {
    const options = { batchSize: 500, burstWhenBatchFull: true, pollingIntervalSeconds: 0.5, notifyPollingIntervalSeconds: 0.5 };
    await boss.work('bench', options, jobs => some(jobs, concurrency, job => work(job.data)));
    return () => boss.offWork('bench', { wait: true });
  });
}

const commands = await { client, graphile: graphileWorker, pgboss: pgbossWorker }[process.argv[2]]();
console.log('{"ready": true}');
for await (const line of readline.createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  try {
    console.log(JSON.stringify(await commands[command.do](command)));
  } catch (error) {
    console.log(JSON.stringify({ error: String(error?.stack ?? error) }));
  }
}
process.exit(0);
