// Asks for something again and again while it is wanted and the page is seen. Gives what is to be called when that may have changed.
export function asking(path, interval, wanted, show) {
  let timer = 0;
  let turn = 0;

  async function ask(own) {
    try {
      const answer = await fetch(path, { cache: 'no-store' });
      if (answer.status === 401) location.reload();
      if (answer.ok && own === turn) show(await answer.json());
    } catch {
      // The header says that the dashboard does not answer; it is asked again.
    }
    if (own === turn && wanted() && !document.hidden) timer = setTimeout(() => ask(own), interval);
  }

  function look() {
    clearTimeout(timer);
    turn++;
    if (wanted() && !document.hidden) ask(turn);
  }

  document.addEventListener('visibilitychange', look);
  return look;
}
