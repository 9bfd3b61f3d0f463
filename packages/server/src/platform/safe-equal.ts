import { timingSafeEqual } from 'node:crypto';

/** Whether two secrets (or their hashes) are the same; how long that takes says nothing about where they differ. */
export function safeEqual(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
