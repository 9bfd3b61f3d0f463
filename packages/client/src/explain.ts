/**
 * A connection in words, for logs, support and whoever looks at a page that says "reconnecting". An entry of its own:
 * an application that shows no such words does not load them.
 */
import type { ConnectionState, Inspection, OutboxState, Timer } from './types.js';

/**
 * Where the connection is, why, and what happens next and when, in one or two sentences for people; programs look at
 * `getState()`. Takes anything with `inspect()`.
 */
export function explain(client: { inspect(): Inspection }): string {
  const inspection = client.inspect();
  const waiting = outboxOf(inspection.outbox, inspection.state);
  return waiting === '' ? stateOf(inspection) : `${stateOf(inspection)} ${waiting}`;
}

function stateOf(inspection: Inspection): string {
  const { state } = inspection;
  switch (state.status) {
    case 'idle':
      return inspection.transitions.at(-1)?.cause === 'disconnect'
        ? 'Down since disconnect() was called, until connect().'
        : 'Not connected, and not asked to be: nothing happens until connect().';
    case 'connecting':
      return `${attemptOf(state.attempt, state.phase)}${givenUp(inspection)}.`;
    case 'connected':
      return connected(inspection, state);
    case 'reconnecting':
      return `${reconnecting(inspection, state)}, because ${because(state.lastError)}.`;
    case 'needs-auth':
      return `The server takes no token of this client: ${because(state.error)}. Nothing happens until connect({ auth }) brings another one.`;
    case 'failed':
      return `Given up, because ${because(state.error)}. Nothing happens until connect().`;
    case 'closed':
      return `Closed for good: ${state.reason}.`;
  }
}

function reconnecting(
  inspection: Inspection,
  { waitingFor, attempt, retryAt, lastError }: Extract<ConnectionState, { status: 'reconnecting' }>,
): string {
  const { at, transitions } = inspection;
  const wait = duration((retryAt ?? at) - at);
  switch (waitingFor) {
    case 'timer': {
      const asked = lastError.code === 'ERR_SERVER_BUSY' ? ', as the server asked,' : '';
      return `Waiting ${wait}${asked} for attempt ${attempt}`;
    }
    case 'online':
      return `Waiting for the network to come back, or ${wait}, for attempt ${attempt}`;
    case 'visible':
      return `Waiting for the page to be looked at again, or ${wait}, for attempt ${attempt}`;
    case 'answer':
      return attemptOf(attempt, transitions.at(-1)?.to) + givenUp(inspection);
  }
}

function connected(
  { at, timers }: Inspection,
  { sessionId, userId, since, recovered, health, rttMs }: Extract<ConnectionState, { status: 'connected' }>,
): string {
  const in_ = (name: Timer['name']): string => duration((dueOf(timers, name) ?? at) - at);
  if (health === 'suspect') {
    return `Connected, but in doubt: unless the server answers a ping within ${in_('pong')}, the connection counts as lost.`;
  }
  const how = recovered ? 'again ' : '';
  const trip = rttMs === undefined ? '' : `, round trip ${duration(rttMs)}`;
  const who = `Connected ${how}for ${duration(at - since)} as '${userId}' (session ${sessionId}${trip})`;
  if (dueOf(timers, 'move') !== undefined) {
    return `${who}; the server asks for a connection elsewhere, which is due in ${in_('move')}.`;
  }
  if (dueOf(timers, 'ping') === undefined) return `${who}; a ping is under way.`;
  return `${who}; a ping goes out after ${in_('ping')} of silence.`;
}

const DOING: { readonly [phase: string]: string } = {
  preparing: 'fetches the token and the address',
  dialing: 'dials',
  handshaking: 'waits for the welcome of the server',
};

function attemptOf(attempt: number, phase = 'dialing'): string {
  return `Attempt ${attempt} ${DOING[phase] ?? 'is under way'}`;
}

function givenUp({ at, timers }: Inspection): string {
  const dueAt = dueOf(timers, 'token') ?? dueOf(timers, 'dial') ?? dueOf(timers, 'welcome');
  return dueAt === undefined ? '' : ` and is given up in ${duration(dueAt - at)}`;
}

const dueOf = (timers: readonly Timer[], name: Timer['name']): number | undefined =>
  timers.find((timer) => timer.name === name)?.dueAt;

/** What an error says, without an end of its own: it stands in a sentence. */
const because = ({ code, message }: { readonly code: string; readonly message: string }): string =>
  `${message.replace(/[.\s]+$/, '')} [${code}]`;

function outboxOf({ messages, inflight }: OutboxState, { status }: ConnectionState): string {
  const parts: string[] = [];
  if (messages > 0) parts.push(`${count(messages)} to be written`);
  if (inflight > 0) parts.push(`${count(inflight)} to be acknowledged`);
  return parts.length === 0 || status === 'closed' ? '' : `Waiting: ${parts.join(', ')}.`;
}

const count = (messages: number): string => (messages === 1 ? '1 message' : `${messages} messages`);

/** Rough enough to be read: two figures are enough. */
function duration(ms: number): string {
  const left = Math.max(0, ms);
  if (left < 1_000) return `${Math.round(left)} ms`;
  if (left < 120_000) return `${Math.round(left / 1_000)} s`;
  return left < 7_200_000 ? `${Math.round(left / 60_000)} min` : `${Math.round(left / 3_600_000)} h`;
}
