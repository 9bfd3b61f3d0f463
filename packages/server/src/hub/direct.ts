import { type Codec, encodePayload, Type, type WireData } from '@holdfast/protocol';
import { after, TurnsByKey } from '../answer.js';
import type { Answer, FoundSession, SessionStore } from '../ports/store.js';
import type { Session } from '../session.js';

/** What single sessions are to be told. */
export interface DirectEvent {
  readonly name: string;
  readonly payload: unknown;
  readonly id: string;
  /** What waits in a session under the same word gives way to it. */
  readonly place?: string | undefined;
  readonly traceparent?: string | undefined;
}

export interface DirectSurroundings {
  readonly store: SessionStore;
  readonly node: string;
  /** The first one is the one of what is cast. */
  readonly codecs: readonly [Codec, ...Codec[]];
  /** Sessions of this server. */
  readonly sessions: ReadonlyMap<string, Session>;
  now(): number;
  nextCall(): number;
}

/** Tells single sessions, whichever server has them: each in its own lane, encoded once for each codec. */
export class Direct {
  readonly #around: DirectSurroundings;
  /** For sessions that are not here; one call at a time for each. */
  readonly #turns = new TurnsByKey();

  constructor(around: DirectSurroundings) {
    this.#around = around;
  }

  /** Throws what no codec can encode. Says for how many it is kept. */
  send(found: readonly FoundSession[], event: DirectEvent): Answer<number> {
    const encoded = new Map<string, WireData>();
    const dataFor = (name: string): WireData => {
      const data = encoded.get(name) ?? this.#encode(Type.EVT, event, this.#codec(name));
      encoded.set(name, data);
      return data;
    };
    // All before the first is kept: who is told that it was not sent may send it again.
    for (const { codec } of found) dataFor(codec);
    let kept = 0;
    let waiting: Promise<unknown> | undefined;
    for (const { sid, codec } of found) {
      const appended = after(this.#append(sid, dataFor(codec), event.place), (isKept) => {
        if (isKept) kept++;
      });
      if (appended instanceof Promise) waiting = Promise.all([waiting, appended]);
    }
    return waiting ? waiting.then(() => kept) : kept;
  }

  /** For whoever has a connection that takes it at once. Throws what the codec cannot encode. */
  cast(found: readonly FoundSession[], event: DirectEvent): Answer<number> {
    const data = this.#encode(Type.VOL, event, this.#around.codecs[0]);
    const to = { sids: new Set(found.map(({ sid }) => sid)) };
    return after(this.#around.store.cast({ to, except: new Set(), data }), ({ members }) => members);
  }

  #encode(
    type: typeof Type.EVT | typeof Type.VOL,
    { name, payload, id, traceparent: c }: DirectEvent,
    codec: Codec,
  ): WireData {
    const meta = { i: id, t: this.#around.now(), u: payload === undefined ? 1 : undefined, c } as const;
    const data = encodePayload(codec, payload, { kind: 'event', name, from: 'server' });
    return codec.encode([type, name, data, meta]);
  }

  #codec(name: string): Codec {
    const { codecs } = this.#around;
    return codecs.find((codec) => codec.name === name) ?? codecs[0];
  }

  #append(sid: string, data: WireData, place: string | undefined): Answer<boolean> {
    const { sessions, store, node, nextCall } = this.#around;
    const session = sessions.get(sid);
    if (session) return session.keep(data, place);
    // Another writer than the session has here, if it comes meanwhile: each keeps its own order of calls.
    const call = { sid, writer: `${node}/away`, w: nextCall(), data, place };
    return this.#turns.take(
      sid,
      () => store.append(call),
      ({ status }) => status === 'ok',
    );
  }
}
