import type { ContractSchemas, Random } from '@holdfast/protocol';
import { after } from '../answer.js';
import type { ServerSendOptions, ServerSession, Target } from '../types.js';
import type { Hub } from './hub.js';
import { sendEvent } from './outgoing.js';

interface TargetSurroundings {
  readonly hub: Hub;
  readonly random: Random;
  readonly schemas: ContractSchemas | undefined;
}

/** The members of a room, as somebody to be told something. */
export function createTarget(
  around: TargetSurroundings,
  room: string,
  except: ReadonlySet<string> = new Set(),
): Target {
  return Object.freeze<Target>({
    except: (...sessions: readonly ServerSession[]) =>
      createTarget(around, room, new Set([...except, ...sessions.map(({ id }) => id)])),
    send: (event: string, payload?: unknown, options?: ServerSendOptions) =>
      sendEvent(around, { event, payload, options }, ({ id, delivery, place }) => {
        const publication = { name: event, payload, id, except, place };
        const { hub } = around;
        const told = delivery === 'volatile' ? hub.cast(room, publication) : hub.publish(room, publication);
        return after(told, (members) => ({ members }));
      }),
  });
}
