import type { System } from '../system.js';
import { bundleSize, type ClientSize, scriptSize } from './client-size.js';
import { codecCosts } from './codec-cost.js';
import { codecTable, sizeTable, wireTable } from './fixed-tables.js';
import { type WireBytes, wireBytesOf } from './wire-bytes.js';

/** What needs no load to be measured, in this one process: bytes on the wire, cost of codecs, sizes of clients. */
export async function fixedFigures(
  systems: readonly System[],
  tell: (line: string) => void,
): Promise<string> {
  tell('codecs');
  const codecs = codecTable(codecCosts());
  const wire = new Map<string, WireBytes>();
  const sizes = new Map<string, ClientSize>();
  for (const { page, key } of systems) {
    if (!page) continue;
    tell(`client: ${key}`);
    sizes.set(key, await bundleSize(page()));
  }
  sizes.set('holdfast, its script for a page', scriptSize());
  for (const system of systems) {
    tell(`bytes on the wire: ${system.key}`);
    wire.set(system.key, await wireBytesOf(system));
  }
  return [wireTable(wire), codecs, sizeTable(sizes)].join('\n\n');
}
