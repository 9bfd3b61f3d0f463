import { JOIN } from '@holdfast/protocol';
import type { Message } from '../core/types.js';

/** What an earlier life has left: before all that waits, but for the joins that it needs. */
export function putFirst(waiting: Message[], messages: readonly Message[]): void {
  const others = waiting.findIndex(({ event }) => !event.startsWith('$'));
  const first = others < 0 ? waiting.length : others;
  const joinOf = ({ room }: Message): number =>
    waiting.findIndex((one) => one.event === JOIN && one.room === room);
  const late = messages.filter((message) => joinOf(message) >= first);
  waiting.splice(first, 0, ...messages.filter((message) => !late.includes(message)));
  for (const message of late.reverse()) waiting.splice(joinOf(message) + 1, 0, message);
}

/** Right behind `message`, those of these that wait. */
export function putBehind(waiting: Message[], message: Message, moved: readonly Message[]): void {
  const ours = waiting.filter((one) => moved.includes(one));
  for (const one of ours) waiting.splice(waiting.indexOf(one), 1);
  waiting.splice(waiting.indexOf(message) + 1, 0, ...ours);
}
