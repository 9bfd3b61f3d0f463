/** Seeds that have found something, and what it was. */
export const REGRESSIONS: readonly { readonly seed: number; readonly story: string }[] = [];
