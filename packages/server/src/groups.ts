/**
 * Texts by the group that they belong to, such as the sessions of each user; how often a text was added is counted. A group
 * of one text, added once, is that text: most groups are, and there are as many as there are connections.
 */
export class Groups {
  readonly #groups = new Map<string, string | Map<string, number>>();

  /** How many different texts there are. */
  size(group: string): number {
    const members = this.#groups.get(group);
    if (members === undefined) return 0;
    return typeof members === 'string' ? 1 : members.size;
  }

  has(group: string, member: string): boolean {
    const members = this.#groups.get(group);
    return typeof members === 'string' ? members === member : (members?.has(member) ?? false);
  }

  of(group: string): Iterable<string> {
    const members = this.#groups.get(group);
    if (members === undefined) return [];
    return typeof members === 'string' ? [members] : members.keys();
  }

  add(group: string, member: string): void {
    const members = this.#groups.get(group);
    if (members === undefined) this.#groups.set(group, member);
    else if (typeof members === 'string') this.#groups.set(group, counted([members, member]));
    else members.set(member, (members.get(member) ?? 0) + 1);
  }

  /** As often as it was added, and it is gone. */
  delete(group: string, member: string): void {
    const members = this.#groups.get(group);
    if (members === member) this.#groups.delete(group);
    if (members === undefined || typeof members === 'string') return;
    const count = (members.get(member) ?? 0) - 1;
    if (count > 0) members.set(member, count);
    else members.delete(member);
    if (members.size === 0) this.#groups.delete(group);
  }
}

function counted(members: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const member of members) counts.set(member, (counts.get(member) ?? 0) + 1);
  return counts;
}
