// The token stands behind # in the address, which browsers send to nobody, and goes on in the body of one request.
const says = document.getElementById('says');

async function enter(token) {
  says.textContent = 'One moment …';
  try {
    const answer = await fetch('session', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ token }),
    });
    if (answer.ok) {
      location.replace(location.pathname);
      return;
    }
    says.textContent = answer.status === 401
      ? 'This is not the token of this stack. ashlar dashboard prints the right one.'
      : (await answer.text()).trim();
  } catch {
    says.textContent = 'The dashboard does not answer. Is the stack up?';
  }
}

document.getElementById('form').addEventListener('submit', event => {
  event.preventDefault();
  enter(document.getElementById('token').value.trim());
});

function fromAddress() {
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  if (token) {
    history.replaceState(null, '', location.pathname);
    enter(token);
  }
}

addEventListener('hashchange', fromAddress);
fromAddress();
