// The hashes by which a page's browser checks that a script is what it was (Subresource Integrity, W3C), as they stand in the README.
//
//   node scripts/integrity.mjs            fails if one there is not that of what is built
//   node scripts/integrity.mjs --write    puts them there; every build does

import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './lib/process.mjs';

const readme = join(root, 'README.md');
const scripts = ['holdfast.global.js', 'holdfast.msgpack.global.js'];

const hashOf = (script) => {
  const code = readFileSync(join(root, 'packages/client/dist', script));
  return `sha384-${createHash('sha384').update(code).digest('base64')}`;
};

const said = readFileSync(readme, 'utf8');
let right = said;
for (const script of scripts) {
  const hash = hashOf(script);
  console.log(`${script}: ${hash}`);
  // On the same line as the name.
  const places = new RegExp(`(?<![\\w.])(${script.replaceAll('.', '\\.')}[^\\n]*?)sha384-[\\w+/=]*`, 'g');
  if (!places.test(right)) throw new Error(`the README says no hash of ${script}`);
  right = right.replace(places, (_all, before) => before + hash);
}
if (process.argv.includes('--write')) {
  if (right !== said) writeFileSync(readme, right);
} else if (right !== said) {
  console.error('those in the README are others: build, and commit it');
  process.exitCode = 1;
}
