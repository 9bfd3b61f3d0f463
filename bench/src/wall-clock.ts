/** The same in every process of the machine, and steady in each. ms. */
export const wallMs = (): number => performance.timeOrigin + performance.now();
