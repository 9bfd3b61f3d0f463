// The story that is told on every runtime and by every bundler: connect, send both ways, be cut twice in the middle, resume,
// ask, close. Plain JavaScript, without anything of a platform but `fetch` and timers.

/** How many messages go each way, and at which of the client's each cut comes. */
const MESSAGES = 60;
const CUTS = new Map([
  [20, 'reset'],
  [40, 'end'],
]);
/** So many go on while it is cut. */
const MEANWHILE = 10;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Resolves with all that a judge needs. `ground`: the HTTP address of server.mjs. */
export async function story(createClient, ground) {
  const ask = async (path) => (await fetch(`${ground}/${path}`)).json();
  const { id, url } = await ask('begin');
  const client = createClient({ url, auth: id, reconnect: { baseMs: 10 } });
  const seen = { heard: [], statuses: [], losses: [] };
  const lost = (what) => () => void seen.losses.push(what);
  client.onSessionLost(lost('session'));
  client.onGap(lost('gap'));
  client.onUndelivered((_message, error) => void seen.losses.push(error.code));
  client.onError((error) => void seen.losses.push(String(error)));
  client.onState(({ status }, before) => {
    if (status !== before.status) seen.statuses.push(status);
  });
  const heardAll = new Promise((resolve) => {
    client.on('tick', (n) => {
      seen.heard.push(n);
      if (seen.heard.length === MESSAGES) resolve();
    });
  });
  /** Resolves once there is a connection, of which there have been `count`. */
  const connections = (count) =>
    new Promise((resolve) => {
      const look = () => {
        if (seen.statuses.filter((status) => status === 'connected').length < count) return;
        stop();
        resolve();
      };
      const stop = client.onState(look);
      look();
    });

  await client.connect();
  const first = client.getState().sessionId;
  const sent = [];
  let cuts = 0;
  let cut = Promise.resolve();
  for (let n = 1; n <= MESSAGES; n++) {
    sent.push(client.send('note', n));
    if (CUTS.has(n)) {
      cuts++;
      cut = ask(`cut?id=${id}&how=${CUTS.get(n)}`);
    }
    // The next cut is to find a connection.
    if (CUTS.has(n - MEANWHILE)) await cut.then(() => connections(1 + cuts));
    await pause(2);
  }
  const receipts = await Promise.all(sent);
  await heardAll;
  const sum = await client.request('add', { a: 1, b: 2 });
  const { sessionId, recovered } = client.getState();
  // What came twice would come by now: it stands before the answer.
  const told = await ask(`told?id=${id}`);
  await client.close();
  return {
    ...{
      messages: MESSAGES,
      cuts: CUTS.size,
      heard: seen.heard,
      losses: seen.losses,
      statuses: seen.statuses,
    },
    ...{ outcomes: [...new Set(receipts.map(({ outcome }) => outcome))], sum, told },
    ...{ recovered, sameSession: sessionId === first, end: client.getState().status },
  };
}
