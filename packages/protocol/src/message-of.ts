/** What somebody has thrown, in words. Never throws: an object without a prototype has none. */
export function messageOf(cause: unknown): string {
  try {
    return cause instanceof Error ? cause.message : String(cause);
  } catch {
    return typeof cause;
  }
}
