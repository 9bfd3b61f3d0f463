import { describe } from 'vitest';
import { suiteOfElsewhere } from './elsewhere.js';
import { suiteOfHandling } from './handling.js';
import type { MakeStore } from './harness.js';
import { suiteOfLanes } from './lanes.js';
import { suiteOfOutboxes } from './outboxes.js';
import { suiteOfOverflow } from './overflow.js';
import { suiteOfPresence } from './presence.js';
import { suiteOfRandomRuns } from './random.js';
import { suiteOfRequests } from './requests.js';
import { suiteOfRooms } from './rooms.js';
import { suiteOfSessions } from './sessions.js';

/** What every store must do, whether it answers at once or later. */
export function sessionStoreSuite(name: string, make: MakeStore): void {
  describe(`${name} as a session store`, () => {
    suiteOfSessions(make);
    suiteOfLanes(make);
    suiteOfOverflow(make);
    suiteOfHandling(make);
    suiteOfRequests(make);
    suiteOfOutboxes(make);
    suiteOfElsewhere(make);
    suiteOfRooms(make);
    suiteOfPresence(make);
    suiteOfRandomRuns(make);
  });
}
