import type { Argument } from './calls.js';
import { listOf, numberOf, type Reply, textOf } from './replies.js';
import { type Script, scripts } from './script.js';

/** A room is told how a session stands to it until nobody has moved it meanwhile; so often at most. */
const MAX_SEATINGS = 8;

interface SeatingSurroundings {
  /** Tells a room. */
  seat(room: string, args: readonly Argument[]): Promise<Reply>;
  ask(script: Script, sid: string, args: readonly Argument[]): Promise<Reply>;
}

interface Standing {
  readonly how: string;
  readonly move: number;
}

function standingOf(reply: Reply | undefined): Standing {
  const [how, move] = listOf(reply);
  return { how: textOf(how), move: numberOf(move) };
}

/**
 * Tells rooms how sessions stand to them. Both stand at different places, the session first: it remembers which rooms were
 * not told, so that others tell them if who was to tell them has died over it.
 */
export class Seating {
  readonly #around: SeatingSurroundings;
  /** Session and room of moves of which the room is being told from here, and how many of each. */
  readonly #moving = new Map<string, number>();

  constructor(around: SeatingSurroundings) {
    this.#around = around;
  }

  /** Rooms that may not have heard of it. Those that this server is telling will have. */
  async tell(sid: string, rooms: readonly string[]): Promise<void> {
    const others = rooms.filter((room) => !this.#moving.has(`${sid} ${room}`));
    await Promise.all(others.map((room) => this.seat(sid, room)));
  }

  /** The same of a session that may have ended: then that is all that was kept of its rooms. */
  async tellLeft(sid: string, rooms: readonly string[]): Promise<void> {
    await this.tell(sid, rooms);
    if (rooms.length > 0) await this.#around.ask(scripts.leftAll, sid, []);
  }

  /** Moves a session by `call`, which answers with how it stands to the room then, and tells the room. */
  async moved(sid: string, room: string, call: () => Promise<Reply>): Promise<Reply> {
    const place = `${sid} ${room}`;
    this.#moving.set(place, (this.#moving.get(place) ?? 0) + 1);
    try {
      const answer = await call();
      // Also if it was done before: nobody knows whether the room was told.
      await this.seat(sid, room, listOf(answer)[1]);
      return answer;
    } finally {
      const left = (this.#moving.get(place) ?? 1) - 1;
      if (left > 0) this.#moving.set(place, left);
      else this.#moving.delete(place);
    }
  }

  /**
   * Tells a room how a session stands to it, until that is what the session says: two servers that move it at once may
   * tell the room in the wrong order, but whoever tells it last looks again.
   */
  async seat(sid: string, room: string, known?: Reply): Promise<void> {
    const ask = async (how = '', move = 0): Promise<Standing> =>
      standingOf(await this.#around.ask(scripts.stand, sid, [room, how, move]));
    let standing = known === undefined ? await ask() : standingOf(known);
    for (let seating = 0; seating < MAX_SEATINGS; seating++) {
      const { how, move } = standing;
      await this.#around.seat(room, [sid, how, move]);
      const now = await ask(how, move);
      if (now.how === how && now.move === move) return;
      standing = now;
    }
  }
}
