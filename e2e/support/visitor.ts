/** One tab of some browser, reduced to what all three engines can do. */
export interface Visitor {
  goTo(url: string): Promise<void>;
  back(): Promise<void>;
  /** The value of an expression in the page; it must be JSON. */
  read<V>(expression: string): Promise<V>;
  /** Another tab of the same browser and the same person. */
  newTab(): Promise<Visitor>;
  /** The tab; of the first one, the browser with all of its tabs. */
  close(): Promise<void>;
}
