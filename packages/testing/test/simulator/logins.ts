import type { HoldfastClient } from '@holdfast/client';
import type { World } from './world.js';

/** Somebody else uses a client from here on, where the climate has it; of dice of their own. */
export function loginStep({ loginDice: dice, apps, climate, coverage, judge }: World): void {
  if (!climate.logins || !dice.chance(0.12)) return;
  const here = apps.filter((app) => app.here);
  if (here.length === 0) return;
  const app = dice.pick(here);
  const user = `u${dice.roll(climate.clients + 1)}`;
  if (user === app.user) return;
  judge.note(() => `— ${user} logs in at ${app.name}, where ${app.user} was`);
  coverage.add(`another user logged in: the client was ${app.client.getState().status}`);
  app.user = user;
  const auth = app.platform.auth(user, climate.tokenTtlMs);
  void (app.client as HoldfastClient).connect({ auth }).catch(() => undefined);
}
