// Runs before the page is drawn, so that it never flashes in the wrong colours.
(() => {
  try {
    const chosen = localStorage.getItem('ashlar-theme');
    if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen;
  } catch {
    // Without storage the system's choice holds.
  }
})();
