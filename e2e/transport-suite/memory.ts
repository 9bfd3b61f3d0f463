import type { Clock, Transport, TransportEvents } from '@holdfast/client/ports';
import { MemoryNetwork } from '@holdfast/testing';
import { type Ground, type Kind, shown } from './ground.js';
import { peerOf } from './peer.js';

/** Real time: the cases wait by the clock of their platform. */
const clock: Clock = {
  now: () => performance.now(),
  setTimer(run, delayMs) {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
  defer: (run) => queueMicrotask(run),
};

/** Fast, but not so fast that nothing would ever wait: nobody is deaf here. */
const BYTES_PER_MS = 100_000;

/** The memory network of @holdfast/testing; each line has a network of its own. */
export class MemoryGround implements Ground {
  readonly #told = new Map<string, string[]>();

  dial(kind: Kind, id: string, protocols: readonly string[], events: TransportEvents): Transport {
    const told: string[] = [];
    this.#told.set(id, told);
    const network = new MemoryNetwork(clock, 1);
    const link = network.link(id);
    link.throttle(BYTES_PER_MS);
    if (kind === 'silent') link.freeze();
    const peer = peerOf(kind);
    network.listener = peer && {
      connect: (offered) => ({
        protocol: offered.at(-1) ?? '',
        serve(end) {
          told.push('open');
          const hear = peer({
            send: (data) => end.send(data),
            close: (code, reason) => end.close(code, reason),
            cut: () => link.cut(),
          });
          return {
            message(data) {
              told.push(shown(data));
              hear(data);
            },
            close: ({ code, reason }) => told.push(`close ${code} ${reason}`.trimEnd()),
          };
        },
      }),
    };
    if (kind === 'refused') network.listener = { connect: () => ({ refused: 'not you' }) };
    return link.dial('memory:', protocols, events);
  }

  async told(id: string): Promise<readonly string[]> {
    return this.#told.get(id) ?? [];
  }
}
