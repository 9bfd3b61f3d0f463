import { useState } from 'react';

export type Fate = 'sending' | 'sent' | 'failed' | 'unknown';
export interface Line {
  readonly id: string;
  readonly from: string;
  readonly text: string;
  readonly fate: Fate;
}

/** In the place of the line with this id, or behind the others. */
function put(lines: readonly Line[], line: Line): readonly Line[] {
  return lines.some(({ id }) => id === line.id)
    ? lines.map((other) => (other.id === line.id ? line : other))
    : [...lines, line];
}

/**
 * Of all rooms: what somebody says himself does not come back to him, and what became of it may be told when he is in another
 * room.
 */
export function useLines() {
  const [all, setAll] = useState<Readonly<Record<string, readonly Line[]>>>({});
  const show = (room: string, line: Line) =>
    setAll((before) => ({ ...before, [room]: put(before[room] ?? [], line) }));
  return { of: (room: string) => all[room] ?? [], show };
}
