/** What was typed, set or written wrongly, and what is allowed: the process ends with 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
