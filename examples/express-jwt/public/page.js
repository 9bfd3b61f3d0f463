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
  place('status').textContent = error ? `${status}: ${error.message}` : status;
  if (status === 'connected') place('status').textContent = `You are ${await client.request('whoAmI')}`;
});

place('in').onsubmit = async (event) => {
  event.preventDefault();
  const response = await fetch('/login', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ name: event.target.elements.name.value }),
  });
  if (response.ok) client.connect().catch(() => undefined);
  else place('status').textContent = await response.text();
};
place('out').onsubmit = (event) => {
  event.preventDefault();
  fetch('/logout', { method: 'POST' });
};

// Whoever has logged in already need not do it again.
client.connect().catch(() => undefined);
