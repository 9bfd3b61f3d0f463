import type { IncomingMessage } from 'node:http';
import { CloseCode, type Transport, type TransportEvents } from '@holdfast/protocol';
import type { ConnectionPlace } from '../limits/connections.js';
import type { Acceptor, Identity } from '../ports/ports.js';
import type { ServerSettings } from '../settings.js';
import { bearerOf } from './bearer.js';
import { negotiate } from './negotiate.js';
import { type SharedOpening, SharedSocket, type SharedSurroundings } from './shared-socket.js';
import type { UpgradeAuth } from './upgrade-auth.js';

export interface SharedUpgradeSurroundings extends Omit<SharedSurroundings, 'open'> {
  readonly codecs: ServerSettings['codecs'];
  readonly accept: Acceptor;
  /** Undefined: `auth` is asked when the HELLO has come. */
  readonly auth: UpgradeAuth | undefined;
  placeOf(address: string): ConnectionPlace;
}

/** What the upgrade of a shared socket said. */
export interface SharedUpgrade {
  readonly request: IncomingMessage;
  readonly address: string;
  /** The token that its URL has: all its tabs have dialled that URL. */
  readonly token: string | undefined;
}

type ServerEnd = Pick<TransportEvents, 'message' | 'close' | 'drain'>;

const nobody: ServerEnd = {
  message: () => undefined,
  close: () => undefined,
};

/** Sockets that carry several connections; each of those comes in by the same way as if it had a socket of its own. */
export class SharedUpgrades {
  readonly #around: SharedUpgradeSurroundings;
  readonly #sockets = new Set<SharedSocket>();

  constructor(around: SharedUpgradeSurroundings) {
    this.#around = around;
  }

  /** What it returns is to be told what happens on the socket. */
  serve(transport: Transport, upgrade: SharedUpgrade): ServerEnd {
    const { clock, maxMessageBytes, maxBufferedBytes } = this.#around;
    const place = this.#around.placeOf(upgrade.address);
    const waitMs = place.knock(clock.now());
    if (waitMs !== undefined) {
      transport.close(CloseCode.RATE_LIMITED, `ra=${waitMs}`);
      return nobody;
    }
    const open = (opening: SharedOpening): void => {
      // From here on its connections count, one by one.
      place.leave();
      this.#open(opening, upgrade);
    };
    const socket = new SharedSocket(transport, { clock, maxMessageBytes, maxBufferedBytes, open });
    this.#sockets.add(socket);
    return {
      message: (data) => socket.message(data),
      drain: () => socket.drain(),
      close: (end) => {
        place.leave();
        this.#sockets.delete(socket);
        socket.close(end);
      },
    };
  }

  /** Clients that are here are to dial anew for what they want to open. */
  retire(): void {
    for (const socket of this.#sockets) socket.retire();
  }

  #open(opening: SharedOpening, { request, address, token }: SharedUpgrade): void {
    const { codecs, accept, auth } = this.#around;
    const { protocols } = opening;
    const result = negotiate(protocols, codecs);
    if (result.outcome === 'none') return opening.refuse(CloseCode.BAD_FRAME, result.why);
    if (result.outcome === 'other-version') {
      return opening.accept(result.protocol, (connection) => {
        connection.send(result.farewell);
        connection.close(CloseCode.BAD_FRAME, 'ERR_PROTOCOL_VERSION');
        return nobody;
      });
    }
    const bearer = bearerOf(protocols);
    if (bearer.outcome === 'malformed') return opening.refuse(CloseCode.BAD_FRAME, bearer.why);
    const brought = bearer.outcome === 'token' ? bearer.token : token;
    const handshake = { request: requestOf(request, protocols), address };
    const enter = (identity?: Identity): void =>
      opening.accept(result.protocol, (connection) =>
        accept(connection, result.codec, handshake, brought, identity),
      );
    if (!auth) return enter();
    const cancel = auth.ask(brought, { ...handshake, resumed: false }, (answer) => {
      if ('status' in answer) opening.refuse(CloseCode.FORBIDDEN, answer.text);
      else enter(answer);
    });
    opening.whenGone(cancel);
  }
}

/**
 * The upgrade's request, as far as it speaks for one connection: who was signed in when the socket was dialled, and by
 * which tab's token, says nothing of the tabs that come later.
 */
function requestOf(request: IncomingMessage, protocols: readonly string[]): IncomingMessage {
  const { cookie: _cookie, authorization: _authorization, ...headers } = request.headers;
  headers['sec-websocket-protocol'] = protocols.join(', ');
  const rawHeaders = Object.entries(headers).flatMap(([name, value]) => [name, String(value)]);
  const headersDistinct = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, [String(value)]]),
  );
  return Object.create(request, {
    headers: { value: headers },
    rawHeaders: { value: rawHeaders },
    headersDistinct: { value: headersDistinct },
  }) as IncomingMessage;
}
