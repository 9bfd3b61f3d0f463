import { createClient } from '@holdfast/client';
import { createHooks } from '@holdfast/react';
import type { Chat } from './contract';

export const me =
  new URLSearchParams(location.search).get('name') || `guest-${Math.ceil(Math.random() * 999)}`;

/** One for the page, outside of React: components come and go, the session stays. */
export const client = createClient<Chat>({
  url: '/realtime',
  auth: me,
  delivery: { typing: 'volatile' },
});

export const { HoldfastProvider, useClient, useConnection, useEvent, useOutbox, useRoom, useSessionLost } =
  createHooks<Chat>();
