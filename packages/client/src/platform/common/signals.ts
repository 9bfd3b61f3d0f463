import type { Signal, Signals } from '../../ports/signals.js';

/** How often the two clocks are compared, and how far they may be apart. */
const LOOK_MS = 5_000;
const JUMP_MS = 2_000;

type Tell = (signal: Signal) => void;
type Place = Pick<EventTarget, 'addEventListener' | 'removeEventListener'>;
/** Where, which event, and what it means. */
type Ear = readonly [Place | undefined, string, (event: Event) => Signal | undefined];

/** What of a platform's global object is listened to; everything may be missing, as in Node. */
export interface Host extends Partial<Place> {
  readonly document?: Place & { readonly visibilityState: string };
  readonly navigator?: { readonly connection?: Place };
}

/**
 * Signals of a page, a worker or a process. Page Lifecycle (`freeze`, `resume`), HTML (`pagehide`, `pageshow`,
 * `online`, `offline`), Page Visibility, Network Information (`change`). Never `unload`, which would keep a page out
 * of the back/forward cache. Touches no global before `listen`.
 */
export function signalsOf(hostOf: () => Host): Signals {
  return {
    listen(tell) {
      const host = hostOf();
      const heard = earsOf(host).map(([place, name, meaning]) => {
        const listener = (event: Event): void => {
          const signal = meaning(event);
          if (signal) tell(signal);
        };
        place?.addEventListener(name, listener);
        return () => place?.removeEventListener(name, listener);
      });
      const stopWatch = watchSleep(tell, () => (host.document?.visibilityState ?? 'visible') === 'visible');
      return () => {
        stopWatch();
        for (const stop of heard) stop();
      };
    },
  };
}

function earsOf(host: Host): readonly Ear[] {
  const { document: page, navigator } = host;
  const self = typeof host.addEventListener === 'function' ? (host as Place) : undefined;
  const isKept = (event: Event): boolean => (event as PageTransitionEvent).persisted;
  return [
    [self, 'online', () => 'online'],
    [self, 'offline', () => 'offline'],
    [navigator?.connection, 'change', () => 'online'],
    [page, 'visibilitychange', () => (page?.visibilityState === 'visible' ? 'visible' : undefined)],
    [page, 'freeze', () => 'asleep'],
    [page, 'resume', () => 'awake'],
    [self, 'pagehide', (event) => (isKept(event) ? 'asleep' : 'gone')],
    [self, 'pageshow', (event) => (isKept(event) ? 'awake' : undefined)],
  ];
}

/**
 * A device that slept says so nowhere in Node, and not everywhere in browsers. The monotonic clock of most systems
 * stands still meanwhile, the wall clock does not; where both go on, the timer is late (in a hidden page it is late
 * anyway).
 */
function watchSleep(tell: Tell, isVisible: () => boolean): () => void {
  const look = () => ({ wall: Date.now(), own: performance.now() });
  let last = look();
  const timer = setInterval(() => {
    const now = look();
    const passedMs = now.own - last.own;
    const jumpMs = Math.abs(now.wall - last.wall - passedMs);
    last = now;
    if (jumpMs > JUMP_MS || (passedMs > LOOK_MS + JUMP_MS && isVisible())) tell('awake');
  }, LOOK_MS);
  // In Node it must not keep the process.
  (timer as { unref?(): void }).unref?.();
  return () => clearInterval(timer);
}

export const platformSignals: Signals = signalsOf(() => globalThis as Host);
