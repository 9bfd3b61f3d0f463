import type { ClientRoom, EventMeta, HoldfastClient } from '@holdfast/client';
import { explain } from '@holdfast/client/explain';
import { asJson, type Output } from '../output.js';
import { type Command, LINES_HELP } from './commands.js';

/** A client that does what lines say, and prints what becomes of it. */
export class Conversation {
  readonly #client: HoldfastClient;
  readonly #output: Output;
  readonly #timeoutMs: number;
  readonly #heard = new Set<string>();
  #room: ClientRoom | undefined;
  #failures = 0;

  constructor(client: HoldfastClient, output: Output, timeoutMs: number) {
    this.#client = client;
    this.#output = output;
    this.#timeoutMs = timeoutMs;
    client.onState((state, previous) => {
      if (state.status === previous.status) return;
      const why = 'lastError' in state ? state.lastError : 'error' in state ? state.error : undefined;
      const code = why === undefined ? '' : ` [${why.code}]`;
      output.note(`* ${state.status}${code}`, { type: 'state', status: state.status, code: why?.code });
    });
    client.onGap((gap) => {
      output.note(`! ${gap.messages || 'some'} messages are missing (${gap.reason})`, {
        type: 'gap',
        ...gap,
      });
    });
    client.onSessionLost(({ sessionId }) => {
      output.note('! the session is lost', { type: 'session-lost', sessionId });
    });
    client.onError((error) => output.error(error));
  }

  get failures(): number {
    return this.#failures;
  }

  listen(event: string, told: () => void = () => undefined): void {
    if (this.#heard.has(event)) return;
    this.#heard.add(event);
    this.#client.on(event, (payload, meta) => {
      this.#print(event, payload, meta);
      told();
    });
  }

  /** Never rejects: what fails is printed and counted. */
  async obey(command: Command): Promise<void> {
    const about = 'name' in command ? `${command.do} ${command.name}` : command.do;
    try {
      await this.#do(command);
    } catch (error) {
      this.failed(error, about);
    }
  }

  failed(error: unknown, about: string): void {
    this.#failures += 1;
    this.#output.error(error, about);
  }

  async #do(command: Command): Promise<void> {
    const { timeoutMs } = this;
    switch (command.do) {
      case 'join':
        return this.#join(command.name);
      case 'leave':
        return this.#leave();
      case 'listen':
        return this.listen(command.name);
      case 'send': {
        const { name, payload } = command;
        await (this.#room ?? this.#client).send(name, payload, { timeoutMs });
        return this.#output.note(`✓ ${name}`, { type: 'acknowledged', event: name, room: this.#room?.name });
      }
      case 'request': {
        const { name, payload } = command;
        const answer = await this.#client.request(name, payload, { timeoutMs });
        return this.#output.result(asJson(answer), { type: 'answer', method: name, answer });
      }
      case 'members': {
        const members = this.#room?.members ?? [];
        const names = members.map(({ userId, sessions }) => `${userId} (${sessions})`).join(', ');
        return this.#output.note(`* ${names || 'nobody known'}`, { type: 'members', members });
      }
      case 'state':
        return this.#output.note(explain(this.#client), { type: 'state', ...this.#client.getState() });
      case 'help':
        for (const line of LINES_HELP.split('\n')) this.#output.note(line, { type: 'help', line });
    }
  }

  get timeoutMs(): number {
    return this.#timeoutMs;
  }

  async #join(name: string): Promise<void> {
    const room = this.#client.room(name);
    await room.join({ timeoutMs: this.#timeoutMs });
    if (this.#room !== undefined && this.#room !== room) await this.#room.leave();
    this.#room = room;
    this.#output.note(`* in the room ${name}`, { type: 'joined', room: name });
  }

  async #leave(): Promise<void> {
    const room = this.#room;
    if (room === undefined) throw new Error('no room has been joined');
    this.#room = undefined;
    await room.leave();
    this.#output.note(`* left the room ${room.name}`, { type: 'left', room: room.name });
  }

  #print(event: string, payload: unknown, { id, at, seq, room, from, redelivered }: EventMeta): void {
    const where = room === undefined ? '' : `  (in ${room}${from === undefined ? '' : ` from ${from}`})`;
    const fact = { type: 'event', event, payload, id, at, seq, room, from, redelivered };
    this.#output.result(`${event} ${asJson(payload)}${where}`, fact);
  }
}
