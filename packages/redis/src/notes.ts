import type { ClientAnswer, EndCall, Note, PresenceState, There, Writing } from '@holdfast/server/ports';
import { fromData, fromValue, toData, toValue } from './values.js';

// Notes on their way between servers: fields, each behind its length in bytes, so that Lua can write them, too.

export function encodeFields(fields: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat(
    fields.flatMap((field) => {
      const bytes = Buffer.from(field);
      return [Buffer.from(`${bytes.length}:`), bytes];
    }),
  );
}

/** Of what nobody here has written: none. */
export function decodeFields(message: Buffer): Buffer[] {
  const fields: Buffer[] = [];
  for (let at = 0; at < message.length; ) {
    const colon = message.indexOf(0x3a, at);
    const from = colon + 1;
    const to = from + Number(message.subarray(at, colon).toString());
    if (colon < 0 || !(from <= to && to <= message.length)) return [];
    fields.push(message.subarray(from, to));
    at = to;
  }
  return fields;
}

type Cast = Extract<Note, { about: 'cast' }>;
type MoveNote = Extract<Note, { about: 'move' }>;

/** Those that no script writes. */
export function encodeNote(note: Cast | MoveNote): Buffer {
  if (note.about === 'move') return encodeFields(['move', note.sid, fromValue(note.move)]);
  const { to, except, data } = note;
  const whom = 'room' in to ? { room: to.room } : { sids: [...to.sids] };
  return encodeFields(['cast', fromValue(whom), fromValue([...except]), fromData(data)]);
}

/** Undefined: of a kind that is not known here, from a newer server. */
export function decodeNote(message: Buffer): Note | undefined {
  const [about, first, ...rest] = decodeFields(message);
  const text = rest.map((field) => field.toString());
  const sid = first?.toString() ?? '';
  switch (about?.toString()) {
    case 'session':
      return { about: 'session', sid };
    case 'room':
      return { about: 'room', room: sid };
    case 'attach':
      return { about: 'attach', sid, epoch: text[0] ?? '', gen: Number(text[1]) };
    case 'answer': {
      const written = { writer: text[0] ?? '', w: Number(text[1]) };
      return { about: 'answer', sid, written, answer: toValue(text[2] ?? '') as ClientAnswer };
    }
    case 'overflow':
      return {
        about: 'overflow',
        sid,
        gone: text[0] === 'connection' ? 'connection' : writingsOf(text.slice(1)),
      };
    case 'end':
      return endNote(sid, text);
    case 'taken':
      return { about: 'taken', sid, written: writingsOf(text) };
    case 'cancel':
      return { about: 'cancel', sid, holder: text[0] ?? '', seqs: text.slice(1).map(Number) };
    case 'move':
      return { about: 'move', sid, move: toValue(text[0] ?? '') as MoveNote['move'] };
    case 'present':
      return presentNote(sid, text);
    case 'cast':
      return castNote(sid, text[0] ?? '', rest[1]);
    default:
      return undefined;
  }
}

function endNote(sid: string, [why, reason, undelivered, epoch, gen, ...unwritten]: readonly string[]): Note {
  return {
    about: 'end',
    sid,
    why: why as EndCall['why'],
    reason: reason || undefined,
    undelivered: Number(undelivered),
    epoch: epoch ?? '',
    gen: Number(gen),
    unwritten: writingsOf(unwritten),
  };
}

function presentNote(room: string, text: readonly string[]): Note {
  const [before, version, sid = '', gen, w, ...there] = text;
  const presence = { sid, gen: Number(gen), w: Number(w), ...thereOf(there) };
  return { about: 'present', room, before: Number(before), version: Number(version), presence };
}

/** User, server, state; without a server: not there. */
export function thereOf([userId = '', node = '', state = '']: readonly string[]): { there?: There } {
  if (node === '') return {};
  return { there: { userId, node, ...(state && { state: toValue(state) as PresenceState }) } };
}

function castNote(whom: string, except: string, data: Buffer | undefined): Note | undefined {
  if (!data) return undefined;
  const to = toValue(whom) as { readonly room?: string; readonly sids?: readonly string[] };
  return {
    about: 'cast',
    to: to.room === undefined ? { sids: new Set(to.sids) } : { room: to.room },
    except: new Set(toValue(except) as readonly string[]),
    data: toData(data),
  };
}

/** Writer, number, writer, number ... */
export function writingsOf(flat: readonly string[]): Writing[] {
  const writings: Writing[] = [];
  for (let index = 0; index + 1 < flat.length; index += 2) {
    writings.push({ writer: flat[index] ?? '', w: Number(flat[index + 1]) });
  }
  return writings;
}

/** Who listens. A note is a hint: what a listener throws is its own, and it has a place to report it. */
export class Listening {
  readonly #listeners = new Set<{ readonly tell: (note: Note) => void }>();

  listen(tell: (note: Note) => void): () => void {
    const listener = { tell };
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  heard(message: Buffer): void {
    let note: Note | undefined;
    try {
      note = decodeNote(message);
    } catch {
      // None of ours. Whoever passes it on may hang up on a listener that throws, and then nothing is heard any more.
    }
    if (note) this.#tell(note);
  }

  missed(): void {
    this.#tell({ about: 'missed' });
  }

  #tell(note: Note): void {
    for (const listener of this.#listeners) {
      try {
        listener.tell(note);
      } catch {
        // See above.
      }
    }
  }
}
