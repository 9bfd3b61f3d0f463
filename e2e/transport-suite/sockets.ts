import type { Dialer } from '@holdfast/client/ports';
import type { CaseResult } from '../support/suite-in-page.js';
import type { Ground, Kind } from './ground.js';
import { runTransportCases, socketCases } from './suite.js';

/** Where the peers of peers.ts are. */
export interface Where {
  readonly http: string;
  readonly ws: string;
  /** Nobody listens here. */
  readonly nobody: string;
}

/** Runs where the dialer runs: in a page, in a worker, in a process of Node. */
export function run(dialer: Dialer, where: Where): Promise<CaseResult[]> {
  const address = (kind: Kind, id: string): string => {
    if (kind === 'no-address') return 'ws://[';
    return kind === 'nobody' ? where.nobody : `${where.ws}/${kind}?${id}`;
  };
  const ground: Ground = {
    dial: (kind, id, protocols, events) => dialer.dial(address(kind, id), protocols, events),
    told: async (id) => (await fetch(`${where.http}/told?${id}`)).json(),
  };
  return runTransportCases(socketCases, ground);
}
