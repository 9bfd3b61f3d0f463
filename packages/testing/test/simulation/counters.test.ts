import { json } from '@holdfast/client';
import { msgpack } from '@holdfast/client/msgpack';
import type { ServerSession } from '@holdfast/server';
import { expect, test } from 'vitest';
import { type CountedBed, countedBed } from './counted-bed.js';

// What messages take: frames, bytes, timers, calls of the store. The numbers are the same on every machine, and exact: who makes one
// smaller changes it here, and who makes one larger has to say why.

const TEXT = {
  text: 'some hundred bytes of text, as people write them when they talk to each other in a room',
};
const BURST = 100;
const BURSTS = 10;
const IN_FLIGHT = 64;
const REQUESTS = 640;

/** So many at once, then a pause, and again. */
async function inBursts({ sleep }: CountedBed, say: () => unknown): Promise<void> {
  for (let burst = 0; burst < BURSTS; burst++) {
    for (let left = BURST; left > 0; left--) say();
    await sleep(20);
  }
}

const CASES: Readonly<Record<string, (bed: CountedBed) => Promise<() => unknown>>> = {
  async 'event up'(bed) {
    const client = await bed.client();
    return () => client.send('note', TEXT);
  },
  async '1,000 events up, 100 at once'(bed) {
    const client = await bed.client();
    return () => inBursts(bed, () => client.send('note', TEXT));
  },
  async 'volatile event up'(bed) {
    const client = await bed.client();
    return () => client.send('note', TEXT, { delivery: 'volatile' });
  },
  async 'request and answer'(bed) {
    const client = await bed.client();
    return () => client.request('echo', TEXT);
  },
  async '640 requests, 64 in flight'(bed) {
    const client = await bed.client();
    let left = REQUESTS;
    const askOn = async (): Promise<void> => {
      while (left-- > 0) await client.request('echo', TEXT);
    };
    return () => Promise.all(Array.from({ length: IN_FLIGHT }, askOn));
  },
  async 'event down'(bed) {
    await bed.client();
    return () => only(bed).send('news', TEXT);
  },
  async '1,000 events down, 100 at once'(bed) {
    await bed.client();
    return () => inBursts(bed, () => only(bed).send('news', TEXT));
  },
  async 'request to the client'(bed) {
    const client = await bed.client();
    client.handle('echo', (input) => input);
    return () => only(bed).request('echo', TEXT);
  },
  async 'publication of one in a room of 3'(bed) {
    const [client] = [await bed.client('lobby'), await bed.client('lobby'), await bed.client('lobby')];
    return () => client?.room('lobby').send('note', TEXT);
  },
  async '100 publications of the server, for 3'(bed) {
    for (let member = 0; member < 3; member++) await bed.client('lobby');
    return () => Promise.all(Array.from({ length: BURST }, () => bed.server.to('lobby').send('news', TEXT)));
  },
  async 'connection and WELCOME'(bed) {
    const client = bed.create();
    return () => client.connect();
  },
  async join(bed) {
    const client = await bed.client();
    return () => client.room('lobby').join();
  },
  async 'idle hour'(bed) {
    await bed.client();
    return () => bed.sleep(3_600_000);
  },
};

function only({ sessions }: CountedBed): ServerSession {
  const [session] = sessions;
  if (!session) throw new Error('nobody is connected');
  return session;
}

const WIDTHS = [38, 9, 7, 9, 7, 8, 8];

async function counted(codec: typeof json): Promise<string[]> {
  const rows: (readonly string[])[] = [];
  for (const [name, prepare] of Object.entries(CASES)) {
    const bed = countedBed(codec);
    rows.push([name, ...(await bed.count(await prepare(bed)))]);
  }
  return rows.map((row) =>
    row
      .map((cell, index) => cell.padEnd(WIDTHS[index] ?? 0))
      .join(' ')
      .trim(),
  );
}

// Frames (of these, bare acks) and bytes up, and down; timers set + microtasks asked for at the clients, and at the server; calls of
// the server's store. In an hour of nothing: a ping of each end, the looks of the sweeper, the touch of the session.
test('JSON', async () => {
  expect(await counted(json)).toEqual([
    //                                      up        B       down      B       clients  server   store
    'event up                               1 (0)     169     1 (0)     15      2+2      0+2      accept 1 claim 2 done 1 read 1',
    '1,000 events up, 100 at once           40 (0)    159275  31 (0)    585     2+20     5+80     accept 40 claim 110 done 1000 read 71',
    'volatile event up                      1 (0)     165     0 (0)     0       1+2      0+2      accept 1 read 1',
    'request and answer                     2 (1)     120     1 (0)     120     3+6      0+4      accept 2 claim 2 done 1 read 2',
    '640 requests, 64 in flight             22 (2)    70582   20 (0)    68781   2+42     0+44     accept 22 claim 60 done 640 read 42',
    'event down                             1 (1)     5       1 (0)     169     1+2      0+4      accept 1 append 1 read 2',
    '1,000 events down, 100 at once         20 (20)   140     20 (0)    159137  1+40     0+60     accept 20 append 1000 read 40',
    'request to the client                  2 (1)     115     2 (0)     179     2+4      3+7      accept 2 append 1 claim 1 read 4',
    'publication of one in a room of 3      1 (0)     181     3 (0)     445     2+2      0+3      accept 1 claim 2 done 1 incarnation 1 publish 1 read 1 readRoom 1',
    '100 publications of the server, for 3  0 (0)     0       12 (0)    49236   0+0      0+4      incarnation 100 publish 100 readRoom 100',
    'connection and WELCOME                 1 (0)     79      1 (0)     284     1+2      3+0      attach 1 read 1',
    'join                                   2 (1)     39      1 (0)     113     5+6      0+4      accept 2 claim 2 done 1 read 2 readRoom 3',
    'idle hour                              164 (0)   2132    328 (0)   2952    165+328  374+836  accept 1 orphans 120 read 418',
  ]);
});

test('MessagePack', async () => {
  expect(await counted(msgpack)).toEqual([
    //                                      up        B       down      B       clients  server   store
    'event up                               1 (0)     144     1 (0)     7       2+2      0+2      accept 1 claim 2 done 1 read 1',
    '1,000 events up, 100 at once           40 (0)    139245  31 (0)    321     2+20     5+80     accept 40 claim 110 done 1000 read 71',
    'volatile event up                      1 (0)     142     0 (0)     0       1+2      0+2      accept 1 read 1',
    'request and answer                     2 (1)     108     1 (0)     105     3+6      0+4      accept 2 claim 2 done 1 read 2',
    '640 requests, 64 in flight             22 (2)    65444   20 (0)    63886   2+42     0+44     accept 22 claim 60 done 640 read 42',
    'event down                             1 (1)     3       1 (0)     144     1+2      0+4      accept 1 append 1 read 2',
    '1,000 events down, 100 at once         20 (20)   94      20 (0)    139132  1+40     0+60     accept 20 append 1000 read 40',
    'request to the client                  2 (1)     104     2 (0)     149     2+4      3+7      accept 2 append 1 claim 1 read 4',
    'publication of one in a room of 3      1 (0)     152     3 (0)     367     2+2      0+3      accept 1 claim 2 done 1 incarnation 1 publish 1 read 1 readRoom 1',
    '100 publications of the server, for 3  0 (0)     0       12 (0)    42354   0+0      0+4      incarnation 100 publish 100 readRoom 100',
    'connection and WELCOME                 1 (0)     51      1 (0)     211     1+2      3+0      attach 1 read 1',
    'join                                   2 (1)     26      1 (0)     83      5+6      0+4      accept 2 claim 2 done 1 read 2 readRoom 3',
    'idle hour                              164 (0)   1148    328 (0)   1640    165+328  374+836  accept 1 orphans 120 read 418',
  ]);
});
