import { Socket } from 'node:net';
import { type Conditions, type Farewell, Flow } from './flow.js';

/** From the client to the server, or back. */
export type Direction = 'up' | 'down';

/** One connection through the proxy, as long as at least one end believes in it. */
export interface TcpConnection {
  /** 1 for the first that came, 2 for the second, and so on. */
  readonly id: number;
  /** Bytes that were passed on. */
  readonly carried: Readonly<Record<Direction, number>>;
  /** Bytes that the proxy holds back; at most 256 KiB and the chunk last read. What the system buffers comes on top. */
  readonly held: Readonly<Record<Direction, number>>;
}

/** How a connection is cut, and who hears of it. */
export interface CutManner {
  readonly how: Farewell | 'silent';
  readonly told: 'client' | 'server' | 'both';
}

export interface ConnectionPorts {
  readonly id: number;
  readonly client: Socket;
  readonly target: { readonly host: string; readonly port: number };
  readonly conditions: Readonly<Record<Direction, Conditions>>;
  /** Neither end is there any more. */
  readonly over: () => void;
}

/** Two sockets and what flows between them. */
export class Connection implements TcpConnection {
  readonly id: number;
  readonly #ports: ConnectionPorts;
  readonly #client: Socket;
  readonly #server = new Socket({ allowHalfOpen: true });
  readonly #flows: Readonly<Record<Direction, Flow>>;
  #dialled = false;
  #isCut = false;
  #open = 2;
  readonly #ended: (() => void)[] = [];

  constructor(ports: ConnectionPorts) {
    this.#ports = ports;
    this.id = ports.id;
    this.#client = ports.client;
    this.#flows = {
      up: new Flow(this.#client, this.#server, ports.conditions.up),
      down: new Flow(this.#server, this.#client, ports.conditions.down),
    };
    for (const socket of [this.#client, this.#server]) {
      // The flows look at how a socket closes; there is nothing else to be done about an error.
      socket.on('error', () => undefined);
      socket.on('close', () => this.#closed());
    }
  }

  get carried(): Record<Direction, number> {
    return { up: this.#flows.up.carried, down: this.#flows.down.carried };
  }

  get held(): Record<Direction, number> {
    return { up: this.#flows.up.held, down: this.#flows.down.held };
  }

  /** To be called at the beginning, and when the conditions have changed. */
  look(): void {
    const { up, down } = this.#ports.conditions;
    // A handshake needs both directions, so while one is frozen the target hears of nobody new.
    if (!this.#dialled && !this.#isCut && !up.frozen && !down.frozen) this.#dial();
    this.#flows.up.look();
    this.#flows.down.look();
  }

  /** Cuts after so many more bytes in one of the directions; resolves with false if it ends before that. */
  cutAfter(bytes: number, directions: readonly Direction[], manner: CutManner): Promise<boolean> {
    if (bytes === 0) {
      this.cut(manner);
      return Promise.resolve(true);
    }
    // No byte will ever get through again.
    if (this.#isCut) return Promise.resolve(false);
    return new Promise((resolve) => {
      const spring = (): void => {
        this.cut(manner);
        resolve(true);
      };
      for (const direction of directions) this.#flows[direction].trap(bytes, spring);
      // Runs at the end in any case; after a cut it has nothing to say any more.
      this.#ended.push(() => resolve(false));
    });
  }

  /** A second cut is allowed: one that was silent may be told to its ends later. */
  cut({ how, told }: CutManner): void {
    this.#isCut = true;
    this.#flows.up.stop();
    this.#flows.down.stop();
    for (const settle of this.#ended.splice(0)) queueMicrotask(settle);
    if (how === 'silent') return;
    if (told !== 'server') this.#tell(this.#client, how);
    if (told !== 'client') this.#tell(this.#server, how);
  }

  destroy(): void {
    this.cut({ how: 'silent', told: 'both' });
    this.#client.destroy();
    this.#server.destroy();
  }

  #dial(): void {
    this.#dialled = true;
    this.#server.setNoDelay(true);
    this.#server.connect({ ...this.#ports.target });
    this.#flows.up.start();
    this.#flows.down.start();
  }

  #tell(socket: Socket, how: Farewell): void {
    if (socket === this.#server && !this.#dialled) socket.destroy();
    else if (how === 'reset') socket.resetAndDestroy();
    else {
      socket.end();
      // Whatever it still says is for nobody, but its own end has to be heard.
      socket.resume();
    }
  }

  #closed(): void {
    this.#open--;
    if (this.#open > 0) return;
    for (const settle of this.#ended.splice(0)) settle();
    this.#flows.up.stop();
    this.#flows.down.stop();
    this.#ports.over();
  }
}
