import type { ContractType, HoldfastClient } from '@holdfast/client';
import { defineContract } from '@holdfast/client';
import { createHooks } from '@holdfast/react';
import { createTestbed, type Testbed } from '@holdfast/testing';
import { act, type ReactNode } from 'react';
import { createRoot } from 'react-dom/client';
import { onTestFinished } from 'vitest';
import { z } from 'zod';

const definition = defineContract({
  events: { message: z.object({ text: z.string() }) },
  serverEvents: { gauge: z.number() },
  presence: z.object({ status: z.string() }),
});
export interface Chat extends ContractType<typeof definition> {}
export const hooks = createHooks<Chat>();

declare global {
  // Of React: whoever changes something is to wrap it into `act`.
  var IS_REACT_ACT_ENVIRONMENT: boolean;
}
globalThis.IS_REACT_ACT_ENVIRONMENT = true;

export interface Stage {
  readonly bed: Testbed<Chat>;
  readonly client: HoldfastClient<Chat>;
  /** Renders, anew or again; what is due by then has happened. */
  render(element: ReactNode): Promise<void>;
  unmount(): Promise<void>;
  /** What happens within it, and so many ms later (default 100), has been rendered afterwards. */
  during(happens: () => unknown, ms?: number): Promise<void>;
  /** What stands there. */
  text(): string;
}

/** A client, not yet asked to connect, a server with rooms that are open, and a place for components. */
export function createStage(options: Parameters<Testbed<Chat>['createClient']>[0] = {}): Stage {
  const bed = createTestbed<Chat>({
    setup: (server) => server.rooms('*', { join: true, publish: true, presence: true }),
  });
  const client = bed.createClient(options);
  const place = document.createElement('div');
  const root = createRoot(place);
  const during = async (happens: () => unknown, ms = 100): Promise<void> => {
    await act(async () => void happens());
    // Behind the effects. What React has put off by a task, such as the end of a use, comes first.
    await act(async () => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      await bed.advance(ms);
    });
  };
  let isMounted = true;
  const unmount = async (): Promise<void> => {
    if (isMounted) await during(() => root.unmount());
    isMounted = false;
  };
  onTestFinished(async () => {
    await unmount();
    await bed[Symbol.asyncDispose]();
  });
  return {
    bed,
    client,
    during,
    unmount,
    render: (element) => during(() => root.render(element)),
    text: () => place.textContent ?? '',
  };
}
