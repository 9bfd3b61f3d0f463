import type { Kind } from '../options/kinds.js';

const PERMISSIONS = ['join', 'publish', 'presence'] as const;
type Permission = (typeof PERMISSIONS)[number];

/** What clients may do in rooms, by pattern. */
export type RoomRules = ReadonlyMap<string, readonly Permission[]>;

/** `chat:*=join,publish` on the command line, `{ "chat:*": ["join", "publish"] }` in a file. */
export const roomRules: Kind<RoomRules> = {
  hint: "'<pattern>=<what>'",
  allowed: `a room's name, or a prefix and '*', with what clients may do of ${PERMISSIONS.join(', ')}, such as 'chat:*=join,publish'`,
  isList: true,
  // A comma stands between what is allowed.
  separator: ';',
  fromTexts(texts) {
    return rulesOf(
      texts.map((text) => {
        // A room's name may hold '=', what is allowed does not.
        const at = text.lastIndexOf('=');
        return [text.slice(0, Math.max(at, 0)), text.slice(at + 1).split(',')];
      }),
    );
  },
  fromFile(value) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    return rulesOf(Object.entries(value));
  },
};

function rulesOf(entries: readonly (readonly [string, unknown])[]): RoomRules | undefined {
  const rules = new Map<string, readonly Permission[]>();
  for (const [pattern, allowed] of entries) {
    const isPattern = /^(?!\$)[^*]*\*?$/.test(pattern) && pattern !== '' && pattern.length <= 128;
    if (!isPattern || rules.has(pattern) || !isPermissions(allowed)) return undefined;
    rules.set(pattern, allowed);
  }
  return rules;
}

const isPermissions = (value: unknown): value is readonly Permission[] =>
  Array.isArray(value) && value.every((word) => PERMISSIONS.includes(word));
