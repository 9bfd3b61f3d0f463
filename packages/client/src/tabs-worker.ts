/** The worker that has the socket of all tabs: `import '@holdfast/client/tabs-worker'` is all that its script needs. */

import { serveTabs } from './platform/browser/shared-worker.js';
import { webLocks } from './platform/browser/tab-platform.js';
import { systemClock } from './platform/common/clock.js';
import { webSocketDialer } from './platform/common/websocket.js';
import { tabWorker } from './tabs/worker-meeting.js';

serveTabs(tabWorker({ clock: systemClock, dialer: webSocketDialer, locks: webLocks }));
