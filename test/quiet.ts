import { afterEach, beforeEach } from 'vitest';

// The quiet-log rule: the library reports through its own events, so anything it writes to the console,
// and any rejection nobody handles, is a defect that the test at hand has uncovered.
// A test that wants a warning installs its own spy; vi.spyOn(console, 'warn') then sees it instead.
const noises: string[] = [];

const noteRejection = (reason: unknown) => {
  noises.push(
    `unhandled rejection: ${reason instanceof Error ? (reason.stack ?? reason.message) : String(reason)}`,
  );
};

const original = { warn: console.warn, error: console.error };

beforeEach(() => {
  noises.length = 0;
  console.warn = (...args: unknown[]) => void noises.push(`console.warn: ${args.map(String).join(' ')}`);
  console.error = (...args: unknown[]) => void noises.push(`console.error: ${args.map(String).join(' ')}`);
  process.on('unhandledRejection', noteRejection);
});

afterEach(async () => {
  // Node tells of an unhandled rejection after the microtasks; one turn of the loop lets it speak.
  await new Promise((resolve) => setImmediate(resolve));
  process.off('unhandledRejection', noteRejection);
  Object.assign(console, original);
  if (noises.length > 0) throw new Error(`unexpected noise:\n${noises.splice(0).join('\n')}`);
});
