/** The client whose connection is shared by the tabs of a browser: one socket for all of them. */
import {
  type AnyContract,
  type Contract,
  checkKeys,
  checkType,
  type Logger,
  messageOf,
} from '@holdfast/protocol';
import { createClientOn } from './client.js';
import { hasSharedWorkers, reachWorker } from './platform/browser/shared-worker.js';
import { tabPlatform } from './platform/browser/tab-platform.js';
import { systemPorts } from './platform/common/ports.js';
import type { ClientPorts } from './ports/ports.js';
import type { TabChannel, TabPlatform } from './ports/tabs.js';
import { LockMeeting } from './tabs/lock-meeting.js';
import { Tab } from './tabs/tab.js';
import { WorkerMeeting } from './tabs/worker-meeting.js';
import type { ClientOptions, HoldfastClient } from './types.js';

export interface TabsOptions {
  /**
   * Makes the worker that has the socket, from a script that says `import '@holdfast/client/tabs-worker'`. Called with the
   * first connection of a tab. Default: one of the tabs has the socket, and another one takes over when it goes. So it is,
   * too, where there are no shared workers (Chrome on Android) or where this one does not run, which is logged as a warning.
   */
  worker?: (() => SharedWorker) | undefined;
}

export type TabsClientOptions<C extends AnyContract = Contract> = ClientOptions<C> & {
  readonly tabs?: TabsOptions | undefined;
};

/**
 * As `createClient` of `@holdfast/client`, with one socket for all tabs of the browser that have the same `url`. Each tab
 * has a session of its own, as without this. Where tabs cannot meet each has a socket of its own, and a warning is logged
 * that says why. Throws a `TypeError` for a bad option.
 */
export function createClient<C extends AnyContract = Contract>(
  options: TabsClientOptions<C>,
): HoldfastClient<C> {
  const { tabs = {}, ...others } = options;
  checkKeys(tabs, ['worker'], 'tabs');
  checkType(tabs.worker, 'function', 'tabs.worker');
  const ports = systemPorts();
  const logger = options.logger ?? ports.logger;
  return createClientOn({ ...ports, dialer: sharing(ports, logger, tabs) }, others as ClientOptions<C>);
}

/**
 * As `createClient`, on ports of your own, for test kits and other platforms: `platform` says how tabs reach each other. Until
 * 1.0 these ports may change in a minor version.
 */
export function createClientOnTabs<C extends AnyContract = Contract>(
  ports: ClientPorts,
  platform: TabPlatform,
  options: ClientOptions<C>,
): HoldfastClient<C> {
  const logger = options.logger ?? ports.logger;
  const tab = new Tab(ports.dialer, logger);
  meetByLock(tab, ports, platform, logger);
  return createClientOn({ ...ports, dialer: tab }, options);
}

const apart = (tab: Tab, logger: Logger, why: string): void => {
  logger.warn(`Holdfast: the tabs of this browser do not share a socket, each has its own: ${why}`);
  tab.meeting = undefined;
};

function meetByLock(tab: Tab, ports: ClientPorts, platform: TabPlatform, logger: Logger): void {
  const failed = (error: unknown): void => {
    const said = messageOf(error);
    apart(tab, logger, `this page may not use Web Locks or BroadcastChannel (${said})`);
  };
  tab.meeting = new LockMeeting({ ...ports, platform, failed }, tab);
}

function sharing(ports: ClientPorts, logger: Logger, { worker }: TabsOptions): Tab {
  const tab = new Tab(ports.dialer, logger);
  const platform = tabPlatform();
  if (!platform) return tab;
  if (typeof platform === 'string') apart(tab, logger, platform);
  else if (worker && hasSharedWorkers()) tab.meeting = byWorker(ports, logger, platform, worker, tab);
  else meetByLock(tab, ports, platform, logger);
  return tab;
}

function byWorker(
  ports: ClientPorts,
  logger: Logger,
  platform: TabPlatform,
  make: () => SharedWorker,
  tab: Tab,
): WorkerMeeting {
  const failed = (why: string): void => {
    logger.warn(`Holdfast: tabs.worker does not run, one of the tabs has the socket instead: ${why}`);
    meetByLock(tab, ports, platform, logger);
  };
  const worker = (heard: (word: unknown) => void, broken: (why: string) => void): TabChannel =>
    reachWorker(make, heard, broken);
  return new WorkerMeeting({ ...ports, locks: platform.locks, failed, worker }, tab);
}

export type { TabChannel, TabLocks, TabPlatform } from './ports/tabs.js';
