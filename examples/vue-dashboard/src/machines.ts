import { createClient } from '@holdfast/client';
import { createComposables } from '@holdfast/vue';
import type { Machines } from './contract';

/** One for the page. */
export const client = createClient<Machines>({ url: '/realtime' });

export const { plugin, useClient, useConnection, useEvent, useRoom } = createComposables<Machines>();
