'use client';
import { createClient } from '@holdfast/client';
import { createHooks } from '@holdfast/react';
import { createElement } from 'react';

const { HoldfastProvider, useConnection } = createHooks();
const client = createClient({ url: '/realtime' });

function Status() {
  return createElement('p', null, useConnection().status);
}

export function Chat() {
  return createElement(HoldfastProvider, { client }, createElement(Status));
}
