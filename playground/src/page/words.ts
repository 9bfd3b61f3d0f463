import type {
  AuthError,
  ConnectionPhase,
  ConnectionState,
  DeliveryError,
  Gap,
  HoldfastError,
} from '@holdfast/client';

/** How the drawing looks; finer than `status` where one can see a difference. */
type Scene = Exclude<ConnectionPhase, 'preparing'>;

export interface StateWords {
  readonly scene: Scene;
  readonly title: string;
}

/** The state in a word or two; `explain` of @holdfast/client says the rest. */
export function stateWords(state: ConnectionState, node?: string): StateWords {
  switch (state.status) {
    case 'idle':
      return { scene: 'idle', title: 'Not connected' };
    case 'connecting':
      return { scene: state.phase === 'preparing' ? 'dialing' : state.phase, title: 'Connecting' };
    case 'connected':
      return { scene: 'connected', title: node === undefined ? 'Connected' : `Connected to ${node}` };
    case 'reconnecting':
      return state.waitingFor === 'answer'
        ? { scene: 'dialing', title: 'Reconnecting' }
        : { scene: 'waiting', title: 'Connection lost' };
    case 'needs-auth':
      return { scene: 'needs-auth', title: 'Name refused' };
    case 'failed':
      return { scene: 'failed', title: 'Given up' };
    case 'closed':
      return { scene: 'closed', title: 'Closed' };
  }
}

/** One line of the logbook; the same line twice in a row is no news. */
export function stateLine(state: ConnectionState): string {
  switch (state.status) {
    case 'connecting':
      return `connecting: ${state.phase}`;
    case 'connected':
      return `connected: session ${shorten(state.sessionId)}${state.recovered ? ' goes on' : ''}`;
    case 'reconnecting':
      return state.waitingFor === 'answer'
        ? `reconnecting: attempt ${state.attempt} dials`
        : `reconnecting: attempt ${state.attempt} waits (${state.lastError.code})`;
    case 'needs-auth':
    case 'failed':
      return `${state.status}: ${state.error.code}`;
    case 'closed':
      return `closed: ${state.reason}`;
    case 'idle':
      return 'idle';
  }
}

export function failureWords(error: DeliveryError): string {
  switch (error.code) {
    case 'ERR_REJECTED':
      return error.reason;
    case 'ERR_EXPIRED':
      return 'it waited too long';
    case 'ERR_OUTBOX_FULL':
      return 'the outbox is full';
    default:
      return error.message;
  }
}

export function gapWords(gap: Gap): string {
  if (gap.messages > 0) {
    return `${count(gap.messages, 'message')} ${gap.messages === 1 ? 'was' : 'were'} said here while we were away, and ${gap.messages === 1 ? 'is' : 'are'} no longer kept.`;
  }
  return 'The server has lost its record of this room. Whether anything was said while we were away, nobody knows.';
}

export function lostWords(unknown: number): string {
  const start = 'The server no longer knew our session, so a new one has begun.';
  if (unknown === 0) return `${start} Nothing of yours in this room was on the wire, so nothing is in doubt.`;
  return `${start} ${count(unknown, 'message')} of yours ${unknown === 1 ? 'was' : 'were'} on the wire: whether ${unknown === 1 ? 'it' : 'they'} arrived, nobody knows.`;
}

export const refusedWords = (error: HoldfastError): string =>
  error.code === 'ERR_REJECTED' ? failureWords(error) : error.message;

export const count = (n: number, word: string): string => `${n} ${word}${n === 1 ? '' : 's'}`;

/** What stands before the dot is the same for all sessions of a user. */
const shorten = (id: string): string => `${id.slice(id.indexOf('.') + 1).slice(0, 8)}…`;

/** As one begins and ends a sentence. */
export const sentence = (text: string): string =>
  text === '' ? '' : `${text[0]?.toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;

/** Why the server does not let somebody in: its own word, where it gave one. */
export function wordsOf(error: AuthError): string {
  return 'reason' in error ? error.reason : error.message;
}
