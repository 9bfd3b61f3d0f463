import {
  type ContractSchemas,
  checkDelivery,
  checkKeys,
  checkName,
  type Delivery,
  defer,
  describeIssues,
  holdfastError,
  type Random,
  type Sending,
  validate,
} from '@holdfast/protocol';
import type { ServerSendOptions } from '../types.js';

/** What the application wants to tell clients. */
export interface ServerEventDraft {
  readonly event: string;
  readonly payload: unknown;
  readonly options: ServerSendOptions | undefined;
}

/** How it is to go out. */
export interface Treatment {
  readonly id: string;
  readonly delivery: Delivery;
  /** Of a `latest` one: what was said under the same word before and has not gone out gives way to it. */
  readonly place: string | undefined;
}

/**
 * Checks an event that the server sends, and has it carried out by `deliver`, whatever that throws (what the codec
 * has no word for) being an outcome like any other. Throws a `TypeError` for misuse: a bad name or option.
 */
export function sendEvent<R>(
  { random, schemas }: { readonly random: Random; readonly schemas: ContractSchemas | undefined },
  { event, payload, options = {} }: ServerEventDraft,
  deliver: (treatment: Treatment) => R | PromiseLike<R>,
): Sending<R> {
  checkName(event, 'send(event)');
  const call = `send('${event}')`;
  checkKeys(options, ['id', 'delivery', 'key'], `${call} options`);
  if (options.id !== undefined) checkName(options.id, `${call} id`);
  const treatment = checkDelivery(options, event, call);
  if (treatment.delivery === 'durable')
    throw new TypeError(
      `${call} delivery 'durable' is for clients: what a server keeps is for its store to say`,
    );
  const schema = schemas?.serverEvents.get(event);
  if (schemas && !schema) throw new TypeError(`send('${event}'): the contract has no such event for servers`);

  const id = options.id ?? random.id();
  const { sending, resolve, reject } = defer<R>(id);
  const issues = schema && validate(schema, payload).issues;
  if (issues) {
    const text = `'${event}' does not fit the contract: ${describeIssues(issues)}`;
    reject(holdfastError('ERR_INVALID_PAYLOAD', text, { delivery: 'unsent', messageId: id, issues }));
    return sending;
  }
  try {
    resolve(deliver({ ...treatment, id }));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const details = { delivery: 'unsent', messageId: id, issues: [{ message: why }], cause } as const;
    reject(holdfastError('ERR_INVALID_PAYLOAD', `'${event}' cannot be encoded: ${why}`, details));
  }
  return sending;
}
