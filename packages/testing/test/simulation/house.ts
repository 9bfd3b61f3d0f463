import { type HoldfastServer, RejectError } from '@holdfast/server';
import type { Testbed } from '@holdfast/testing';
import { openBed, silent } from './people.js';

/** Tokens are `user` or `user role`. */
const auth = (token = 'guest') => {
  const [id = '', role = 'member'] = token.split(' ');
  return { user: { id, role } };
};

export interface House {
  readonly bed: Testbed;
  readonly told: string[];
  readonly admins: () => ReturnType<HoldfastServer['namespace']>;
}

/** A namespace for admins, and the rest, in which everybody may talk. */
export function house(more: (server: HoldfastServer) => void = () => undefined): House {
  const told: string[] = [];
  const bed = openBed({
    auth,
    logger: silent,
    setup(server) {
      server.rooms('*', { join: true, publish: true });
      server.on('note', (text) => void told.push(`note ${text}`));
      const admins = server.namespace('/admin');
      admins.use((session) => {
        if ((session.user as { role?: string }).role !== 'admin') throw new RejectError('admin-only');
      });
      admins.rooms('*', { join: true, publish: true, presence: true });
      admins.on('note', (text, { session, room }) => {
        told.push(`admin note ${text} of ${session.user.id} in ${room ?? 'none'}`);
      });
      admins.on('announce', (text) => void server.toAll().send('announcement', text));
      admins.handle('who', async () =>
        (await admins.toAll().sessions()).map(({ user, rooms }) => [user.id, rooms]),
      );
      admins.handleStream('count', async function* () {
        yield* [1, 2, 3];
      });
      admins.onSession(({ user }) => void told.push(`enters ${user.id}`));
      admins.onSessionEnd(({ user }, { reason }) => void told.push(`leaves ${user.id}: ${reason}`));
      more(server);
    },
  });
  return { bed, told, admins: () => bed.server.namespace('/admin') };
}

export async function connected(bed: Testbed, token: string) {
  const client = bed.createClient({ auth: token, logger: silent });
  await bed.until(client.connect());
  const ns = client.namespace('/admin');
  return { client, ns };
}

export async function inside(bed: Testbed, token: string) {
  const made = await connected(bed, token);
  await bed.until(made.ns.join());
  return made;
}
