import { Talker } from '../talker.js';
import { wallMs } from '../wall-clock.js';
import { filling } from './push.js';
import type { Said } from './questions.js';
import { speaker, type Target } from './speaker.js';

const saidAt: number[] = [];
let talker: Talker | undefined;

/** Resolves when it has begun, connected. */
export async function talk(target: Target, perSecond: number): Promise<Said> {
  const end = await speaker(target);
  const text = filling(100);
  talker = new Talker((n) => {
    saidAt.push(wallMs());
    end.send({ n, text });
  });
  talker.start(perSecond);
  return { saidAt: [] };
}

export function hush(): Said {
  talker?.stop();
  return { saidAt };
}
