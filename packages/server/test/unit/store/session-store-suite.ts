import { describe } from 'vitest';
import type { MakeStore } from './harness.js';
import { suiteOfHandling } from './suite-handling.js';
import { suiteOfLanes } from './suite-lanes.js';
import { suiteOfOutboxes } from './suite-outboxes.js';
import { suiteOfOverflow } from './suite-overflow.js';
import { suiteOfRandomRuns } from './suite-random.js';
import { suiteOfRequests } from './suite-requests.js';
import { suiteOfRooms } from './suite-rooms.js';
import { suiteOfSessions } from './suite-sessions.js';

/** What every store must do, whether it answers at once or later. */
export function sessionStoreSuite(name: string, make: MakeStore): void {
  describe(`${name} as a session store`, () => {
    suiteOfSessions(make);
    suiteOfLanes(make);
    suiteOfOverflow(make);
    suiteOfHandling(make);
    suiteOfRequests(make);
    suiteOfOutboxes(make);
    suiteOfRooms(make);
    suiteOfRandomRuns(make);
  });
}
