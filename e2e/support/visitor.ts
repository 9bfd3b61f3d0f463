/** One tab of some browser, reduced to what all three engines can do. */
export interface Visitor {
  goTo(url: string): Promise<void>;
  back(): Promise<void>;
  /** The value of an expression in the page; it must be JSON. */
  read<V>(expression: string): Promise<V>;
  close(): Promise<void>;
}
