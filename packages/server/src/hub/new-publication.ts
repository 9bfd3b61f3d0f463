/** What is to be published. */
export interface NewPublication {
  readonly name: string;
  readonly payload: unknown;
  readonly id: string;
  readonly from?: string | undefined;
  readonly sentAt?: number | undefined;
  readonly traceparent?: string | undefined;
  /** What was published under the same word before need not be read any more. */
  readonly place?: string | undefined;
  readonly except: ReadonlySet<string>;
  /** It goes to other rooms, too, with this word: who is in several of them hears it once. */
  readonly toSeveral?: string | undefined;
  /** The message of a client by which this is published: once, however often its handlers run. */
  readonly message?: string | undefined;
}
