/**
 * Where things stand. What one step touches has one hash tag, so that it is on one node of a Redis Cluster: a session
 * and what its user's durable outboxes have had accepted, by the user; a room, by its name.
 *
 * Most calls name a session only. The server has put a word for its user before the first dot of its id, and a guest
 * is a user of its own: so an id says where its session stands, and nobody has to look that up.
 */
export class Keys {
  readonly prefix: string;

  constructor(prefix: string) {
    this.prefix = prefix;
  }

  session(sid: string): string {
    return `${this.#tagged(tagOf(sid))}session:${sid}`;
  }

  /** How far the durable outboxes of the user of this session have come. */
  outboxes(sid: string): string {
    return `${this.#tagged(tagOf(sid))}outboxes`;
  }

  room(room: string): string {
    return `${this.#tagged(`room:${room}`)}room`;
  }

  /** Ids of all sessions. */
  get sessions(): string {
    return `${this.#tagged('sessions')}register`;
  }

  /** Ids of the sessions of a user. */
  user(userId: string): string {
    return `${this.#tagged(`user:${userId}`)}register`;
  }

  /** Ids of the servers that live. */
  get servers(): string {
    return `${this.#tagged('servers')}register`;
  }

  /** The channel on which servers tell each other. */
  get notes(): string {
    return `${this.prefix}notes`;
  }

  #tagged(tag: string): string {
    return `${this.prefix}{${tag}}:`;
  }
}

/** An id that a client has made up must not break a key; whatever it names is not there. */
const tagOf = (sid: string): string => sid.split('.', 1)[0]?.replace(/[^\w-]/g, '_') || '_';
