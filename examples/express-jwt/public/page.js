const place = (id) => document.getElementById(id);
const tell = (text) =>
  place('log').append(Object.assign(document.createElement('li'), { textContent: text }));

let tokens = 0;
const client = Holdfast.createClient({
  url: '/realtime',
  // Called for the first connection, before a token has run out, and when the server wants another one.
  async auth({ reason, signal }) {
    const response = await fetch('/token', { signal });
    // Nobody is logged in: the state is `needs-auth`, until connect() is called.
    if (response.status === 401) throw new Holdfast.RejectError('log-in-first');
    // What fails otherwise is tried again.
    if (!response.ok) throw new Error(`the tokens are out of reach (${response.status})`);
    tell(`token ${++tokens}: ${reason}`);
    return response.text();
  },
});
client.onState(async ({ status, error }, previous) => {
  if (status === previous.status) return;
  place('in').hidden = status !== 'needs-auth' && status !== 'failed' && status !== 'idle';
  place('out').hidden = !place('in').hidden;
  place('status').textContent = error ? `${status}: ${error.reason ?? error.message}` : status;
  if (status !== 'connected') return;
  // The answer may come when that is long over, or never.
  const name = await client.request('whoAmI').catch(() => undefined);
  if (name && client.getState().status === 'connected') place('status').textContent = `You are ${name}`;
});

/** What went wrong, if anything did. */
async function post(path, body) {
  try {
    const headers = { 'Content-Type': 'application/json' };
    const response = await fetch(path, { method: 'POST', headers, body: JSON.stringify(body) });
    return response.ok ? undefined : await response.text();
  } catch {
    return 'the server is out of reach';
  }
}

place('in').onsubmit = async (event) => {
  event.preventDefault();
  const wrong = await post('/login', { name: event.target.elements.name.value });
  if (wrong) place('status').textContent = wrong;
  else client.connect().catch(() => undefined);
};
place('out').onsubmit = async (event) => {
  event.preventDefault();
  const wrong = await post('/logout');
  if (wrong) place('status').textContent = `not logged out: ${wrong}`;
};

// Whoever has logged in already need not do it again.
client.connect().catch(() => undefined);
