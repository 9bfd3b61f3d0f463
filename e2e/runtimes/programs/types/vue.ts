// What an application with Vue would import.
import { createComposables } from '@holdfast/vue';

const { useConnection } = createComposables();
export const status = (): string => useConnection().value.status;
// @ts-expect-error: it has no such field.
export const missing = (): string => useConnection().value.missing;
