import { isPromiseLike } from '@holdfast/protocol';
import { after } from '../answer.js';
import type { Answer, PublishCall, SessionStore } from '../ports/store.js';
import type { StoreOperation } from './store-health.js';

/** Makes of a call one that is repeated until it is answered. */
export type Retried = <C, T>(
  operation: StoreOperation,
  ask: (call: C) => Answer<T>,
) => (call: C) => Answer<T>;

/**
 * Publishes in the incarnation of the first try, in which it can be repeated. `lost`: an answer is missing, and the store has
 * lost its last writes since; nobody knows whether it was published.
 */
export function publishing(store: SessionStore, retried: Retried): SessionStore['publish'] {
  const incarnationOf = retried('incarnation', (call: PublishCall) => store.incarnation(call));
  const publish: SessionStore['publish'] = (call) =>
    after(incarnationOf(call), (incarnation) => {
      let tries = 0;
      const published = retried('publish', (named: PublishCall) => {
        tries++;
        return store.publish(named);
      })(inIncarnation(call, incarnation));
      if (!isPromiseLike(published)) return published;
      return published.then((answer) =>
        // Tried once, and answered: it was not published, since the store had begun anew before.
        answer.status === 'lost' && tries === 1 ? publish(call) : answer,
      );
    });
  return publish;
}

/** By name: one is made for each publication, and a copy of whatever a call has takes ten times as long. */
const inIncarnation = (
  { room, bounds, writer, w, publication, message }: PublishCall,
  incarnation: string,
): PublishCall => ({ room, bounds, writer, w, publication, message, incarnation });
