import {
  checkName,
  type Deferred,
  describeIssues,
  holdfastError,
  type ListenOptions,
  type MessageOptions,
  type Schema,
  type Scope,
  type Sending,
  type SendOptions,
  validate,
} from '@holdfast/protocol';
import { createRoom, type Say } from './room.js';
import type { RequestHandler } from './runtime/answering.js';
import type { Runtime } from './runtime/runtime.js';
import type { ClientSettings } from './runtime/settings.js';
import { STREAMING, type Streaming } from './runtime/streaming.js';
import type { ClientRoom, ClientScope } from './types.js';

/**
 * What an application hears, says and asks: as itself, or in a namespace. Names are strings here: the types of the
 * contract are checked where they are known, by the caller's compiler.
 */
export function createScope(
  runtime: Runtime,
  settings: ClientSettings,
  scope: Scope,
): { readonly handle: ClientScope & { [STREAMING]: Streaming }; readonly say: Say } {
  const { prefix, schemas } = scope;
  const rooms = new Map<string, ClientRoom>();
  const say: Say = (event, payload, options, room = '') => {
    checkName(event, 'send(event)', prefix);
    const name = prefix + event;
    const schema = schemas?.clientEvents.get(name);
    if (schemas && !schema)
      throw new TypeError(`send('${event}'): the contract has no such event for clients`);
    const where = prefix + room;
    return runtime.submit({
      kind: 'event',
      name,
      payload,
      room: where || undefined,
      schema,
      options,
      delivery: settings.delivery.get(name),
      notJoined: notJoined(runtime, where, 'send', event),
    }).sending as Sending;
  };

  const request = (method: string, payload?: unknown, options?: MessageOptions): Promise<unknown> => {
    checkName(method, 'request(method)', prefix);
    const name = prefix + method;
    const entry = schemas?.requests.get(name);
    if (schemas && !entry) throw new TypeError(`request('${method}'): the contract has no such request`);
    const asked = runtime.submit({
      kind: 'request',
      name,
      payload,
      room: prefix || undefined,
      schema: entry?.input,
      options,
      delivery: undefined,
      notJoined: notJoined(runtime, prefix, 'request', method),
    });
    return answerTo(method, asked, entry?.output);
  };

  const { dispatcher, exchange } = runtime;
  return {
    say,
    handle: {
      [STREAMING]: {
        scope,
        codec: settings.codec,
        open: (draft) =>
          runtime.submit({
            ...draft,
            room: prefix || undefined,
            notJoined: notJoined(runtime, prefix, 'stream', draft.name.slice(prefix.length)),
          }),
        giveCredit: (ear) => runtime.exchange.giveCredit(ear),
      },
      contract: scope.contract as ClientScope['contract'],
      on: (event: string, listener: (...values: never[]) => unknown, listen?: ListenOptions) => {
        checkName(event, 'on(event)', prefix);
        return dispatcher.events.on(prefix + event, listener, listen);
      },
      handle: (method: string, handler: (...values: never[]) => unknown) =>
        exchange.answering.handlers.add(method, handler as RequestHandler, scope),
      send: (event: string, payload?: unknown, options?: SendOptions) => say(event, payload, options),
      request,
      room: (name) => {
        checkName(name, 'room(name)', prefix);
        const room = rooms.get(name) ?? createRoom(runtime, scope, name, say);
        rooms.set(name, room);
        return room;
      },
    },
  };
}

/** Why nothing can be said there. */
function notJoined({ rooms }: Runtime, where: string, call: string, name: string): string | undefined {
  return where === '' ? undefined : rooms.get(where).notJoined(`${call}('${name}')`);
}

/** As the contract has it. */
function answerTo(method: string, { id, promise }: Deferred<unknown>, output?: Schema): Promise<unknown> {
  const checked = (reply: unknown): unknown => {
    const result = output ? validate(output, reply) : { value: reply };
    if (!result.issues) return result.value;
    const { issues } = result;
    const text = `the reply to '${method}' does not fit the contract: ${describeIssues(issues)}`;
    throw holdfastError('ERR_INVALID_PAYLOAD', text, { delivery: 'rejected', messageId: id, issues });
  };
  const answer = output ? promise.then(checked) : promise;
  // As with `send`: whoever does not look at it has been told by `onUndelivered`.
  answer.catch(() => undefined);
  return answer;
}
