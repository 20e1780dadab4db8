// The one stream of the page. It is opened again with growing pauses; each frame is whole, so nothing has to be caught up.
const longest = 10000;
const patience = 25000;

export function open({ frame, state }) {
  let source, retry, watchdog, pause = 500;

  function lost(reason) {
    source?.close();
    clearTimeout(watchdog);
    clearTimeout(retry);
    state('lost', reason);
    retry = setTimeout(connect, pause * (0.75 + Math.random() / 2));
    pause = Math.min(longest, pause * 2);
  }

  function alive() {
    clearTimeout(watchdog);
    watchdog = setTimeout(() => lost('silent'), patience);
  }

  async function connect() {
    // An event source does not tell a refusal from a silence; a question before it does.
    try {
      const answer = await fetch('session', { cache: 'no-store' });
      if (answer.status === 401) {
        state('refused');
        return;
      }
      if (!answer.ok) throw new Error(`status ${answer.status}`);
    } catch {
      lost('unreachable');
      return;
    }
    source = new EventSource('live');
    source.onopen = alive;
    source.onmessage = event => {
      pause = 500;
      alive();
      state('live');
      frame(JSON.parse(event.data));
    };
    source.onerror = () => lost('closed');
    alive();
  }

  addEventListener('online', () => { clearTimeout(retry); connect(); });
  connect();
}
