import type { Delivery } from './messages.js';
import { checkName } from './names.js';
import { checkOneOf } from './options.js';

const CLASSES: readonly Delivery[] = ['reliable', 'volatile', 'latest', 'durable'];

/** Throws a `TypeError` unless `delivery` is one of the classes. */
export function checkClass(delivery: unknown, what: string): asserts delivery is Delivery {
  checkOneOf(delivery, CLASSES, what);
}

/**
 * How an event is to be treated, and of a `latest` one what stands for those that it replaces. Throws a `TypeError` for
 * an option that makes no sense.
 */
export function checkDelivery(
  {
    delivery = 'reliable',
    key,
  }: { readonly delivery?: Delivery | undefined; readonly key?: string | undefined },
  event: string,
  call: string,
): { readonly delivery: Delivery; readonly place: string | undefined } {
  checkClass(delivery, `${call} delivery`);
  if (key !== undefined) {
    if (delivery !== 'latest')
      throw new TypeError(`${call} key is for the delivery 'latest', not '${delivery}'`);
    checkName(key, `${call} key`);
  }
  return { delivery, place: delivery === 'latest' ? (key ?? event) : undefined };
}
