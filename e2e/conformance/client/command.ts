import { fileURLToPath } from 'node:url';

/** The command that starts one of our clients with its adapter. */
export const commandOf = (client: string): string =>
  `"${process.execPath}" "${fileURLToPath(new URL(`../under-test/${client}-client.mjs`, import.meta.url))}"`;
