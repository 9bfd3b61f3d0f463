import { ASKING_RULES } from './mutants/asking-rules.js';
import { LINK_RULES } from './mutants/link-rules.js';
import { LITE_RULES } from './mutants/lite-rules.js';
import { LOGIN_RULES } from './mutants/login-rules.js';
import type { Mutant } from './mutants/mutant.js';
import { NAMESPACE_RULES } from './mutants/namespace-rules.js';
import { PRESENCE_RULES } from './mutants/presence-rules.js';
import { SERVER_RULES } from './mutants/server-rules.js';
import { STREAM_RULES } from './mutants/stream-rules.js';

/**
 * The wrong rules of the design, and those that this project has had: each has to be caught, alone or together with the
 * rule that covers it.
 */
export const MUTANTS: readonly Mutant[] = [
  ...LINK_RULES,
  ...SERVER_RULES,
  ...ASKING_RULES,
  ...STREAM_RULES,
  ...NAMESPACE_RULES,
  ...PRESENCE_RULES,
  ...LOGIN_RULES,
  ...LITE_RULES,
];
