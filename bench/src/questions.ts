/** What the program asks its two children, and what they answer. */
export type Question =
  | { readonly ask: 'talk'; readonly perSecond: number }
  | { readonly ask: 'hush' }
  | { readonly ask: 'look' }
  | { readonly ask: 'account'; readonly sentByOther: number };

export interface Standing {
  readonly sent: number;
  readonly heard: number;
  readonly pending: number;
}

export interface Account {
  /** Of what the other one sent. */
  readonly missing: readonly number[];
  readonly doubled: number;
  readonly outOfOrder: number;
  /** Of what was sent by itself: what the application was told to have failed. */
  readonly told: readonly number[];
}

/** Which answer belongs to which question. */
export type AnswerTo<Q extends Question> = Q extends { ask: 'account' } ? Account : Standing;

/** The first word of a child. */
export interface Ready {
  readonly port: number;
}
