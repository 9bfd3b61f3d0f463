import {
  type ContractSchemas,
  checkKeys,
  checkName,
  defer,
  describeIssues,
  holdfastError,
  type Random,
  type Sending,
  validate,
} from '@holdfast/protocol';

/** What the application wants to tell clients. */
export interface ServerEventDraft {
  readonly event: string;
  readonly payload: unknown;
  readonly options: { readonly id?: string | undefined } | undefined;
}

/**
 * Checks an event that the server sends, and has it carried out by `deliver`, whatever that throws (what the codec
 * has no word for) being an outcome like any other. Throws a `TypeError` for misuse: a bad name or option.
 */
export function sendEvent<R>(
  { random, schemas }: { readonly random: Random; readonly schemas: ContractSchemas | undefined },
  { event, payload, options = {} }: ServerEventDraft,
  deliver: (id: string) => R | PromiseLike<R>,
): Sending<R> {
  checkName(event, 'send(event)');
  checkKeys(options, ['id'], `send('${event}') options`);
  if (options.id !== undefined) checkName(options.id, `send('${event}') id`);
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
    resolve(deliver(id));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const details = { delivery: 'unsent', messageId: id, issues: [{ message: why }], cause } as const;
    reject(holdfastError('ERR_INVALID_PAYLOAD', `'${event}' cannot be encoded: ${why}`, details));
  }
  return sending;
}
