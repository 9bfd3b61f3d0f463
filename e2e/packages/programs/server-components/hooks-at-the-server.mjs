import { createHooks } from '@holdfast/react';

export const hooks = () => createHooks();
