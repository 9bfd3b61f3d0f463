/** The worker that has the socket of all tabs: `import '@holdfast/client/tabs-worker'` is all that its script needs. */
import { serveTabs } from './platform/browser/shared-worker.js';
import { webLocks } from './platform/browser/tab-platform.js';
import { systemPorts } from './platform/common/ports.js';
import { tabWorker } from './tabs/worker-meeting.js';

serveTabs(tabWorker({ ...systemPorts(), locks: webLocks }));
