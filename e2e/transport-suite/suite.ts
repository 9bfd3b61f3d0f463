import type { Transport, TransportEnd, WireData } from '@holdfast/client/ports';
import { A_WHILE_MS, check, same, sleep, until } from '../conformance/case.js';
import type { CaseResult } from '../support/suite-in-page.js';
import { type Ground, type Kind, shown } from './ground.js';
import { SAID } from './peer.js';

/*
 * What the client takes for granted of a transport: the port `Dialer` of @holdfast/client/ports, written as cases that
 * run on any of them. They run as they are in Node, in a page and in a worker, so nothing of a platform is used here.
 */

/** One thing that a transport must do. */
export interface TransportCase {
  readonly name: string;
  run(ground: Ground): Promise<void>;
}

let lines = 0;

/** One dial and all that it tells. */
class Line {
  readonly log: string[] = [];
  readonly transport: Transport;
  readonly #ground: Ground;
  readonly #id = `line-${++lines}`;
  /** Done with each message, by whoever listens. */
  heard: (data: WireData) => void = () => undefined;

  constructor(ground: Ground, kind: Kind, protocols: readonly string[] = []) {
    this.#ground = ground;
    this.transport = ground.dial(kind, this.#id, protocols, {
      open: (protocol) => this.log.push(`open ${protocol}`.trimEnd()),
      message: (data) => {
        this.log.push(shown(data));
        this.heard(data);
      },
      close: ({ code, reason }: TransportEnd) => this.log.push(`close ${code} ${reason}`.trimEnd()),
    });
    same(this.log, [], 'told before dial() has returned');
  }

  static async open(ground: Ground, kind: Kind): Promise<Line> {
    const line = new Line(ground, kind);
    await line.tells(1);
    return line;
  }

  async tells(count: number): Promise<void> {
    await until(
      () => this.log.length >= count,
      `${count} things told`,
      () => this.log,
    );
  }

  /** All that it tells, and nothing more comes. */
  async tellsJust(...expected: readonly string[]): Promise<void> {
    await this.tells(expected.length);
    await sleep(A_WHILE_MS);
    same(this.log, expected, 'told');
  }

  /** What the peer has heard so far. */
  told(): Promise<readonly string[]> {
    return this.#ground.told(this.#id);
  }

  async peerHears(last: string): Promise<readonly string[]> {
    for (let tries = 0; ; tries++) {
      const told = await this.told();
      if (told.at(-1)?.startsWith(last)) return told;
      check(tries < 1_000, `the peer hears "${last}"`, told);
      await sleep(10);
    }
  }
}

const END = { code: 4321, reason: 'enough ☕' };
const GOODBYE = `close ${END.code} ${END.reason}`;
const LARGE = 1_048_576;

const one = (name: string, run: (ground: Ground) => Promise<void>): TransportCase => ({ name, run });

/** A case on a line that stands, and which is let go afterwards. */
const standing = (name: string, kind: Kind, run: (line: Line) => Promise<void>): TransportCase =>
  one(name, async (ground) => {
    const line = await Line.open(ground, kind);
    try {
      await run(line);
    } finally {
      line.transport.close(1000, '');
    }
  });

const opening: readonly TransportCase[] = [
  one('open comes first and once, with the subprotocol that was chosen', async (ground) => {
    const line = new Line(ground, 'quiet', ['one', 'two']);
    await line.tellsJust('open two');
    line.transport.close(1000, '');
  }),
  one('open without a subprotocol', async (ground) => {
    const line = new Line(ground, 'quiet');
    await line.tellsJust('open');
    line.transport.close(1000, '');
  }),
  one('who is refused is told so once, by a close with 1006, and nothing opens', async (ground) => {
    await new Line(ground, 'refused').tellsJust('close 1006');
  }),
  one('where nobody is there, the same', async (ground) => {
    await new Line(ground, 'nobody').tellsJust('close 1006');
  }),
  one('a refused line takes what is done to it', async (ground) => {
    const line = new Line(ground, 'refused');
    await line.tells(1);
    line.transport.send('nobody hears it');
    line.transport.close(END.code, END.reason);
    await line.tellsJust('close 1006');
  }),
  one('closed while it dials: it tells nothing, ever', async (ground) => {
    const line = new Line(ground, 'silent');
    await sleep(A_WHILE_MS);
    line.transport.close(END.code, END.reason);
    await line.tellsJust();
  }),
  one('closed in the very task of the dial: the same', async (ground) => {
    const line = new Line(ground, 'says');
    line.transport.close(END.code, END.reason);
    await line.tellsJust();
  }),
];

const messages: readonly TransportCase[] = [
  one('text comes as string, bytes as Uint8Array, also empty ones, in order, after open', async (ground) => {
    const line = new Line(ground, 'says');
    await line.tellsJust('open', ...SAID.map(shown));
    line.transport.close(1000, '');
  }),
  standing('text and bytes go as they are, in order', 'echo', async (line) => {
    for (const data of SAID) line.transport.send(data);
    await line.tellsJust('open', ...SAID.map(shown));
    same(await line.told(), ['open', ...SAID.map(shown)], 'heard by the peer');
  }),
  standing('of a view on a larger buffer, only the view goes', 'echo', async (line) => {
    line.transport.send(new Uint8Array([1, 2, 3, 4]).subarray(1, 3));
    await line.tellsJust('open', 'bytes 2,3');
  }),
  standing('a large text and large bytes come whole', 'echo', async (line) => {
    const large: readonly WireData[] = ['x'.repeat(LARGE), new Uint8Array(LARGE).fill(7)];
    for (const data of large) line.transport.send(data);
    await line.tellsJust('open', ...large.map(shown));
  }),
  standing('bufferedBytes counts what waits, and comes down to 0', 'deaf', async (line) => {
    const { transport } = line;
    same(transport.bufferedBytes, 0, 'bufferedBytes at first');
    // More than a system keeps for somebody who does not listen.
    for (let n = 0; n < 16; n++) transport.send(new Uint8Array(LARGE));
    check(transport.bufferedBytes > 0, 'bufferedBytes above 0', transport.bufferedBytes);
    await line.told();
    await until(
      () => transport.bufferedBytes === 0,
      'bufferedBytes 0',
      () => transport.bufferedBytes,
    );
  }),
];

const endings: readonly TransportCase[] = [
  one('the peer closes: its last words first, then one close with code and reason', async (ground) => {
    const line = new Line(ground, 'ends');
    await line.tellsJust('open', 'text one', 'text two', 'close 4321 that is all ☕');
  }),
  one('what is done to a line that the peer has closed is nothing', async (ground) => {
    const line = new Line(ground, 'ends');
    await line.tells(4);
    line.transport.send('too late');
    line.transport.close(END.code, END.reason);
    line.transport.close(END.code, END.reason);
    await line.tellsJust('open', 'text one', 'text two', 'close 4321 that is all ☕');
    check(!(await line.told()).includes('text too late'), 'nothing of it heard', await line.told());
  }),
  standing('cut without a word: one close with 1006', 'cuts', async (line) => {
    line.transport.send('now');
    await line.tellsJust('open', 'close 1006');
  }),
  standing(
    'we close: the peer is told code and reason, and we are told nothing more',
    'echo',
    async (line) => {
      line.transport.send('last');
      line.transport.close(END.code, END.reason);
      same(await line.peerHears('close'), ['open', 'text last', GOODBYE], 'heard by the peer');
      await line.tellsJust('open');
    },
  ),
  standing('what is sent after our close goes nowhere', 'echo', async (line) => {
    line.transport.close(END.code, END.reason);
    line.transport.send('too late');
    await line.peerHears('close');
    await sleep(A_WHILE_MS);
    line.transport.send('much too late');
    same(await line.told(), ['open', GOODBYE], 'heard by the peer');
    same(line.log, ['open'], 'told');
  }),
  standing('the first of two closes counts', 'quiet', async (line) => {
    line.transport.close(END.code, END.reason);
    line.transport.close(4444, 'again');
    same(await line.peerHears('close'), ['open', GOODBYE], 'heard by the peer');
  }),
  one('closed in a listener: not even what has arrived already is told', async (ground) => {
    const line = new Line(ground, 'many');
    line.heard = (data) => {
      if (data === '3') line.transport.close(END.code, END.reason);
    };
    await line.tellsJust('open', 'text 1', 'text 2', 'text 3');
    await line.peerHears(GOODBYE);
  }),
  standing(
    'a code that no page may say, a reason that is too long: it closes all the same',
    'quiet',
    async (line) => {
      line.transport.close(1008, 'é'.repeat(100));
      const told = (await line.peerHears('close')).at(-1) ?? '';
      check(/^close (1000|1008) é{40,100}$/.test(told), 'close 1000 or 1008, and a reason', told);
      await line.tellsJust('open');
    },
  ),
];

const throws = (what: string, kind: Kind, protocols: readonly string[]): TransportCase =>
  one(`${what}: dial throws, and tells nothing`, async (ground) => {
    const log: string[] = [];
    const events = {
      open: () => log.push('open'),
      message: () => log.push('message'),
      close: () => log.push('close'),
    };
    const thrown = await Promise.resolve()
      .then(() => ground.dial(kind, 'none', protocols, events).close(1000, ''))
      .then(
        () => 'nothing',
        (error: Error) => error.name,
      );
    await sleep(A_WHILE_MS);
    same([thrown, log], ['SyntaxError', []], 'thrown, and told');
  });

/** What every transport does. */
export const transportCases: readonly TransportCase[] = [...opening, ...messages, ...endings];

/** And what those do for which an address and a subprotocol mean something. */
export const socketCases: readonly TransportCase[] = [
  ...transportCases,
  throws('an address that no socket can have', 'no-address', []),
  throws('a subprotocol that no socket can have', 'quiet', ['not one']),
];

/** One after the other: a browser dials one address at a time. */
export async function runTransportCases(
  cases: readonly TransportCase[],
  ground: Ground,
): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  for (const { name, run } of cases) {
    try {
      await run(ground);
      results.push({ name });
    } catch (error) {
      results.push({ name, why: error instanceof Error ? error.message : String(error) });
    }
  }
  return results;
}
