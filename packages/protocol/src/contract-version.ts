/** Of a contract, as an end says it in its first frame. */
export type ContractVersions = readonly [version: number, minVersion: number];

/** False if one of two ends is too old for the other. An end without a contract is not asked. */
export function versionsFit(one: ContractVersions | undefined, other: ContractVersions | undefined): boolean {
  return !one || !other || (one[0] >= other[1] && other[0] >= one[1]);
}
