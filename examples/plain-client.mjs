// A client of the Holdfast protocol in plain JavaScript on a bare WebSocket, written from PROTOCOL.md alone: a model for
// clients in other languages. Numbers in brackets are the sections of that paper.
//
//   const client = plainClient('ws://localhost:3000/realtime', { token: 'ada', told: { event: console.log } });
//   await client.send('note', 1);   await client.request('add', { a: 1, b: 2 });   await client.join('lobby');
//
// `told` may have event(name, data, meta), request(method, data, signal), which answers, publication(room, name, data, meta),
// gap(why, room), lost(items of which nobody knows whether they were handled) and stopped(why). What fails rejects with
// a `fate`: 'refused', 'unknown' (on the wire when the session was lost) or 'unsent'. Left out, and nobody at the other
// end will miss it: MessagePack, several items in one frame, asking for an ack at once, giving up what was written, $leave,
// a bound for what waits, saying VOL, asking for streams, another token than the first, moving away from a server that goes.

const [HELLO, WELCOME, EVT, REQ, RES, ERR, PUB, PING, PONG, CREDIT, AUTH, GOAWAY] = Array(12).keys();
const [GAP, BYE, CANCEL, SYNC, DONE, VOL, ACK_NOW] = [12, 13, 14, 15, 16, 20, 21];
const MOST_ASKED = 100; // requests of the server's at once
const isNumbered = ([type, , , , room]) =>
  [EVT, REQ, RES, ERR, CANCEL].includes(type) || (type === GAP && !room);
const now = () => performance.now(); // no correction of the system's time moves it
const nonce = () => btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16))));
const bytesOf = (item) => new TextEncoder().encode(JSON.stringify(item)).length;
const parse = (text) => {
  try {
    const frame = typeof text === 'string' && JSON.parse(text);
    return Array.isArray(frame) && frame.slice(2).every(Array.isArray) ? frame : [];
  } catch {
    return []; // no frame: it has not even an ack
  }
};
const failure = (fate, code, message) => Object.assign(new Error(message ?? code), { fate, code });

export function plainClient(
  url,
  { token, WebSocket = globalThis.WebSocket, told = {}, capMs = 10_000 } = {},
) {
  const [waiting, rooms, replaced, asked, several] = [[], new Map(), [], new Map(), []];
  let [n, tries, stopped] = [0, 0, false];
  let session, secret, next, acked, taken, sent; // of a session
  let socket, dialedAt, ready, limits, window, flowing, heardAt, ackedAt, pingedAt, pongAt, owed, owedBytes; // of a connection
  // A session counts from 1, with a nonce of its own [1, 4]; `sent` is not yet acknowledged, or not yet answered.
  const begin = () => {
    [session, secret, next, acked, taken, sent] = [undefined, nonce(), 1, 0, 0, new Map()];
  };
  const ask = async (what, ...about) => told[what]?.(...about);
  const tell = (...about) => ask(...about).catch(console.error); // who listens and throws stops nothing

  const write = (item, number = 0, ack = taken) => {
    if (!ready) return;
    socket.send(JSON.stringify(item ? [ack, number, item] : [ack, number]));
    if (ack > 0) [owed, owedBytes, ackedAt] = [0, 0, now()];
  };
  const say = (item) => {
    const message = { item, bytes: bytesOf(item) };
    const outcome = new Promise((resolve, reject) => Object.assign(message, { resolve, reject }));
    outcome.catch(() => {}); // nobody has to look
    if (stopped) message.reject(failure('unsent', 'ERR_CLOSED'));
    waiting.push(message);
    flush();
    return outcome;
  };
  const number = (message) => {
    sent.set(next++, Object.assign(message, { at: now() }));
    write(message.item, next - 1);
  };
  // A message gets its number when it is written, and is written as far as the window goes [3, Window].
  const flush = () => {
    while (ready && waiting.length > 0 && hasCredit(waiting[0])) {
      const message = waiting.shift();
      if (message.bytes + 50 > limits.m) message.reject(failure('unsent', 'ERR_TOO_BIG'));
      else number(message);
    }
  };
  const hasCredit = ({ item, bytes }) => {
    const asked = [...sent.values()].filter((one) => one.item[0] === REQ && !one.settled);
    const charged = [...sent].filter(([number, one]) => number > acked && one.resolve);
    const all = charged.reduce((sum, [, one]) => sum + one.bytes, bytes);
    const isFree = charged.length === 0 || (charged.length < window[0] && all <= window[1]);
    return isFree && (item[0] !== REQ || asked.length < limits.o);
  };
  const settle = (number, how, value) => {
    const message = sent.get(number) ?? {};
    const joined = message.item?.[1] === '$join' && how === 'resolve' && rooms.get(message.item[2].room);
    if (joined) Object.assign(joined, value, { asked: false }); // before what flows in the room
    message[how]?.(value);
    message.settled = true;
    message.handled ||= how === 'reject' || message.item?.[0] === REQ;
  };
  const applyAck = (ack) => {
    acked = Math.max(acked, ack);
    for (const [number, { item, resolve, settled, handled }] of sent) {
      if (number <= acked && item[0] === EVT && !settled) settle(number, 'resolve', 'acknowledged');
      if (number <= acked && (!resolve || (settled && handled))) sent.delete(number);
    }
  };
  const done = (low, above) => {
    for (const [number, message] of sent) message.handled ||= number <= low || above.includes(number);
  };
  // What came is acknowledged by what is written anyway; by itself when it is time [3, Acks].
  const acknowledge = () => {
    const wait = ackedAt + 100 - now();
    if (owed >= 32 || owedBytes >= 32_768 || (owed > 0 && wait <= 0)) write();
    else if (owed > 0) setTimeout(() => owed > 0 && write(), wait);
  };

  // What an older connection still says changes nothing: its listeners know that it is not the newest [6].
  const dial = () => {
    const mine = new WebSocket(url, ['holdfast.v1.json']);
    [socket, n, dialedAt, flowing] = [mine, n + 1, now(), new Map()];
    [pingedAt, pongAt, ackedAt, owed, owedBytes] = [0, now(), -Infinity, 0, 0];
    const on = (what, then) => mine.addEventListener(what, (event) => mine === socket && then(event));
    on('open', () => (mine.protocol === 'holdfast.v1.json' ? hello() : leave(4400)));
    on('message', ({ data }) => receive(data));
    on('close', ({ code, reason }) => {
      if ([3000, 3003, 4410].includes(code)) return stop(code); // it has no other token
      if (code === 4401 && session) lose({});
      leave(1000, reason);
    });
    on('error', () => {}); // a close follows
  };
  const leave = (code = 1000, reason = '') => {
    const old = socket;
    [socket, ready] = [undefined, false];
    old?.close(code);
    tries = now() - dialedAt > 5_000 ? 0 : tries + 1;
    const [, ra] = /^ra=(\d{1,7})$/.exec(reason) ?? []; // what the server says counts more [7]
    const wait = ra ? ra * (0.95 + 0.1 * Math.random()) : Math.random() * Math.min(capMs, 50 * 2 ** tries);
    if (!stopped) setTimeout(() => stopped || dial(), wait);
  };
  const stop = (why) => {
    stopped = true;
    leave();
    clearInterval(clock);
    for (const { reject } of waiting) reject(failure('unsent', 'ERR_CLOSED'));
    for (const number of sent.keys()) settle(number, 'reject', failure('unknown', 'ERR_CLOSED'));
    tell('stopped', why);
  };
  // Deadlines: a WELCOME, any frame after a PING [4, 6]. Asks when all is silent, or an ack is owed for long.
  const owing = () =>
    [...sent].some(([number, { at }]) => number > acked && now() - Math.max(at, pongAt) > 2_000);
  const look = () => {
    const at = now();
    const isLate = ready ? pingedAt > 0 && at - pingedAt > 5_000 : at - dialedAt > 10_000;
    if (socket && isLate) leave(3008);
    const isSilent = ready && at - heardAt > 1.25 * Math.max(limits.h, 1_000);
    if (!ready || pingedAt > 0 || !(isSilent || owing())) return;
    pingedAt = at;
    write([PING]);
  };
  const clock = setInterval(look, 100);

  const hello = () => {
    const back = session && { ...session, x: taken, y: acked };
    const fields = { v: 1, c: secret, n, w: [1_000, 1_048_576], q: MOST_ASKED, a: token, ...back };
    socket.send(JSON.stringify([0, 0, [HELLO, fields]]));
    dialedAt = now(); // from here on it is the WELCOME that has 10 s
  };
  const greet = ([type, welcome]) => {
    if (type === BYE) return bye(welcome);
    const { v, q, s, k, e, x } = welcome ?? {};
    const fits = type === WELCOME && v === 1 && [!session, true, session][q];
    const forgotten = q === 1 && !(x >= acked && x < next);
    if (fits && (q === 2 || forgotten)) lose(welcome);
    if (fits && q === 2) return hello(); // another session, on the same connection
    if (!fits || forgotten) return leave(4400);
    [session, secret, limits, window] = [{ s, k, e }, nonce(), welcome, welcome.w];
    [ready, heardAt] = [true, now()];
    const joined = [...rooms].filter(([, { epoch }]) => epoch);
    if (q === 1) resume(x, joined);
    else for (const [room, { epoch, offset }] of joined) join(room, { epoch, offset, replaced });
    flush();
  };
  // What the server lacks is written again, without an ack; before it, where the rooms stand [4, After WELCOME 1].
  const resume = (x, joined) => {
    write([SYNC, joined.map(([room, { epoch, offset }]) => [room, epoch, offset])], 0, 0);
    for (const [number, { item }] of sent) if (number > x) write(item, number, 0);
  };
  // Nobody knows what became of what was on the wire, but for what `p` and `lost` tell [4, After WELCOME 2].
  const lose = ({ p: [low, above] = [0, []], lost = [] }) => {
    for (const [, number, code, why] of lost) settle(number, 'reject', failure('refused', code, why));
    done(low, above);
    for (const [number, { item, handled }] of sent)
      if (item[0] === EVT && handled) settle(number, 'resolve', 'acknowledged');
    const open = [...sent].filter(([, { resolve, settled, handled }]) => resolve && !(settled && handled));
    for (const [number] of open) settle(number, 'reject', failure('unknown', 'ERR_SESSION_LOST'));
    replaced.unshift(session.s);
    replaced.splice(32);
    for (const [name, { put }] of rooms) if (put) rooms.delete(name);
    for (const n of asked.keys()) forget(n);
    begin();
    const unknown = open.map(([, { item }]) => item);
    tell('lost', unknown);
  };
  const bye = (code) =>
    /ERR_(AUTH_REFUSED|AUTH_EXPIRED|PROTOCOL_VERSION|SESSION_ENDED)/.test(code) && stop(code);

  const receive = (text) => {
    const [mine, [ack, first, ...items]] = [socket, parse(text)];
    if (!ready && items.length === 1) return greet(...items);
    if (!ready || !(ack < next)) return leave(4400);
    heardAt = now();
    if (!owing() || items.some(([type]) => type === PONG)) pingedAt = 0;
    let seq = first;
    for (const item of items) {
      const last = item[0] === GAP ? item[2] : seq;
      if (!isNumbered(item)) control(item);
      else if (item[0] === GAP && item[1] !== seq) leave(4400);
      else if (seq > taken + 1) leave(4409);
      else if (last > taken) take(item, seq, last);
      if (isNumbered(item)) seq = last + 1;
      if (mine !== socket) return;
    }
    applyAck(ack); // after the items [3, Frames]
    owedBytes += text.length;
    flush();
    acknowledge();
  };
  const take = ([type, a, b, c], seq, last) => {
    owed += 1;
    taken = last;
    if (type === EVT) tell('event', a, b, c);
    if (type === REQ && asked.size >= MOST_ASKED) leave(4400);
    else if (type === REQ) answer(seq, a, b);
    if (type === CANCEL) forget(a);
    if (type === RES) settle(a, 'resolve', b);
    if (type === ERR) settle(a, 'reject', failure('refused', b, c));
    if (type === GAP) tell('gap', c);
  };
  const answer = async (seq, method, data) => {
    const abort = new AbortController();
    asked.set(seq, abort);
    const item = await ask('request', method, data, abort.signal).then(
      (value) => [RES, seq, value],
      () => [ERR, seq, 'ERR_HANDLER_FAILED', ''],
    );
    if (asked.get(seq) !== abort) return; // nobody waits for it any more
    asked.delete(seq);
    number({ item });
  };
  const forget = (n) => {
    asked.get(n)?.abort();
    asked.delete(n);
  };
  const control = ([type, a, b, c, d, e]) => {
    if (type === PING) write([PONG]);
    else if (type === PONG) pongAt = now();
    else if (type === CREDIT) window = [a, b];
    else if (type === BYE) bye(a);
    else if (type === SYNC) a.forEach(sync);
    else if (type === DONE) done(a, b);
    else if (type === VOL) hear(a, b, c);
    else if (type === ACK_NOW)
      owed = Infinity; // until this frame has been applied
    else if (type === PUB && flowing.has(a)) publish(flowing.get(a), b, c, d, e);
    else if (type === GAP && flowing.has(d)) skip(flowing.get(d), b, c);
    // It stays where it is until it is closed, and has no other token: what these two say is nothing to it.
    else if (type < 32 && ![PUB, GAP, AUTH, GOAWAY].includes(type)) leave(4400); // not negotiated [10]
  };
  // Rooms are lanes of their own, each with a position that moves on [5].
  const sync = ([name, epoch, offset, number]) => {
    const room = rooms.get(name) ?? { put: true }; // by the server
    if (room.asked) return; // its answer comes first
    rooms.set(name, Object.assign(room, { name, epoch, offset }));
    if (number) return flowing.set(number, room);
    rooms.delete(name);
    for (const [old, one] of flowing) if (one === room) flowing.delete(old);
  };
  const publish = (room, offset, name, data, meta) => {
    if (name.startsWith('$') || offset <= room.offset) return; // $member and $members move no position
    room.offset = offset;
    if (meta?.m && several.includes(meta.m)) return; // heard in another room
    if (meta?.m) several.unshift(meta.m);
    several.splice(1_000);
    tell('publication', room.name, name, data, meta);
  };
  // Worth something now or never: no number, no position [3, Volatile].
  const hear = (name, data, meta) => {
    if (!meta?.r) tell('event', name, data, meta);
    else if ([...flowing.values()].includes(rooms.get(meta.r))) tell('publication', meta.r, name, data, meta);
  };
  const skip = (room, to, why) => {
    room.offset = Math.max(room.offset, to);
    tell('gap', why, room.name);
  };

  const send = (name, data = null, room = undefined) =>
    say([EVT, name, data, ...(room ? [{ r: room }] : [])]);
  const request = (method, data = null) => say([REQ, method, data]);
  const join = (room, place) => {
    if (!rooms.has(room)) rooms.set(room, {});
    Object.assign(rooms.get(room), { asked: true, put: false });
    return request('$join', { room, ...place });
  };
  // A session ends by BYE, after all that was said before [7].
  const close = () => {
    flush();
    write([BYE, 'closed', '']);
    stop('closed');
  };
  begin();
  dial();
  return { send, request, join, close };
}
