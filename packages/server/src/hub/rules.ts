import { checkKeys, checkOptions, checkType, prefixOf, RejectError } from '@holdfast/protocol';
import { after } from '../answer.js';
import type { Answer, LogBounds } from '../ports/store.js';
import { LOG_BOUNDS } from '../store/room-log.js';
import type { RoomHistory, RoomRule } from '../types.js';

const RULE_KEYS = ['join', 'publish', 'presence', 'history'];

/** A rule, checked, with every default filled in. */
export interface CheckedRule extends Omit<RoomRule, 'presence' | 'history'> {
  readonly presence: boolean;
  readonly history: History;
}
interface History extends LogBounds {
  readonly onJoin: number;
}

const NO_RULE: CheckedRule = { presence: false, history: { ...LOG_BOUNDS, onJoin: 0 } };

/** What clients may do in rooms, by the rooms' names. */
export class Rules {
  readonly #byName = new Map<string, CheckedRule>();
  /** Those of patterns, by what the names begin with. */
  readonly #byBeginning = new Map<string, CheckedRule>();
  /** How long such beginnings are, the longest first: there are few lengths, however many rules there are. */
  #lengths: readonly number[] = [];

  /** Throws a `TypeError` for a bad pattern or rule. */
  add(pattern: string, rule: RoomRule, prefix = ''): void {
    const isPattern = typeof pattern === 'string' && /^(?!\$)[^*]*\*?$/.test(pattern) && pattern !== '';
    if (!isPattern || prefixOf(pattern) !== '') {
      throw new TypeError(`rooms(pattern): '${pattern}' must be a name, or a prefix and one '*' at its end`);
    }
    checkKeys(rule, RULE_KEYS, `rooms('${pattern}')`);
    for (const key of ['join', 'publish'] as const) {
      const value = rule[key];
      if (value !== undefined && typeof value !== 'boolean' && typeof value !== 'function') {
        throw new TypeError(
          `rooms('${pattern}'): ${key} must be a boolean or a function, not ${typeof value}`,
        );
      }
    }
    checkType(rule.presence, 'boolean', `rooms('${pattern}'): presence`);
    const history = historyOf(rule.history, `rooms('${pattern}'): history`);
    const checked = { ...rule, presence: rule.presence ?? false, history };
    const name = prefix + pattern;
    if (!name.endsWith('*')) return void this.#byName.set(name, checked);
    this.#byBeginning.set(name.slice(0, -1), checked);
    const lengths = new Set([...this.#lengths, name.length - 1]);
    this.#lengths = [...lengths].sort((one, other) => other - one);
  }

  /** The rule of the longest pattern that fits; without one nothing is allowed. */
  for(room: string): CheckedRule {
    const exact = this.#byName.get(room);
    if (exact) return exact;
    const prefix = prefixOf(room);
    // A namespace itself is for its middleware to say.
    if (room === prefix) return NO_RULE;
    for (const length of this.#lengths) {
      // Each namespace is for itself, however short the pattern.
      if (length < prefix.length) break;
      const rule = length <= room.length ? this.#byBeginning.get(room.slice(0, length)) : undefined;
      if (rule) return rule;
    }
    return NO_RULE;
  }
}

/** Whoever comes back after a cut finds what was said meanwhile: a rule may keep more of it for him, not less. */
function historyOf(history: RoomHistory | undefined, what: string): History {
  return checkOptions(history, what, {
    maxMessages: [LOG_BOUNDS.maxMessages, LOG_BOUNDS.maxMessages, 'whole'],
    maxBytes: [LOG_BOUNDS.maxBytes, LOG_BOUNDS.maxBytes],
    ttlMs: [LOG_BOUNDS.ttlMs, LOG_BOUNDS.ttlMs],
    onJoin: [0, 0, 'whole'],
  });
}

/** Throws a `RejectError`, now or later, unless a rule said yes. */
export function demand(allowed: unknown, reason: string): Answer<void> {
  return after(allowed as Answer<unknown>, (answer) => {
    if (answer !== true) throw new RejectError(reason);
  });
}
