/** What tabs of one browser have in common, of which one connection for all of them is made. */
export interface TabPlatform {
  readonly locks: TabLocks;
  /** Words posted on a channel reach everybody else who has one of that name, in order. */
  channel(name: string, heard: (word: unknown) => void): TabChannel;
}

/** Locks that all tabs see, and that end with whoever holds them. */
export interface TabLocks {
  /**
   * Calls `held` once when the lock is ours; `steal`: whoever has it loses it. `lost`: somebody has stolen it,
   * perhaps before we knew that we had it, or, with an error, it cannot be had. Returns what gives it up; nothing is called after that. Nothing is called before it has returned.
   */
  hold(name: string, how: 'wait' | 'steal', held: () => void, lost: (error?: unknown) => void): () => void;
  /** Names of the locks that are held now. */
  held(): Promise<ReadonlySet<string>>;
}

export interface TabChannel {
  /** What the platform can copy: numbers, texts, bytes, and arrays of them. */
  post(word: unknown): void;
  close(): void;
}
