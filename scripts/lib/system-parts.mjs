// Programs that tests need and that no package of npm's brings: found, or installed where that is possible.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { run } from './process.mjs';

const parts = {
  chromium: {
    /** The first that runs is used; tests find its path in this variable. */
    variable: 'HOLDFAST_CHROMIUM',
    programs: ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'],
    packages: ['chromium', 'fonts-liberation'],
  },
  firefox: {
    variable: 'HOLDFAST_FIREFOX',
    programs: ['/usr/bin/firefox-esr', '/usr/bin/firefox'],
    packages: ['firefox-esr'],
  },
  webkit: {
    variable: 'HOLDFAST_WEBKIT',
    programs: ['/usr/bin/WebKitWebDriver'],
    packages: ['webkit2gtk-driver'],
    ask: '--help',
  },
  /** WebKit knows no life without a display. */
  xvfb: {
    variable: 'HOLDFAST_XVFB',
    programs: ['/usr/bin/Xvfb'],
    packages: ['xvfb'],
    ask: '-help',
  },
  redis: {
    variable: 'HOLDFAST_REDIS',
    programs: ['/usr/bin/redis-server', '/usr/local/bin/redis-server'],
    packages: ['redis-server'],
  },
  nats: {
    variable: 'HOLDFAST_NATS',
    programs: ['/usr/sbin/nats-server', '/usr/bin/nats-server', '/usr/local/bin/nats-server'],
    packages: ['nats-server'],
  },
  nginx: {
    variable: 'HOLDFAST_NGINX',
    programs: ['/usr/sbin/nginx', '/usr/local/sbin/nginx', '/usr/bin/nginx'],
    packages: ['nginx'],
    ask: '-v',
  },
  /** Optional: where it is there, it may still be of no use, since a container may not have networks of its own. */
  nft: {
    variable: 'HOLDFAST_NFT',
    programs: ['/usr/sbin/nft', '/sbin/nft'],
    packages: ['nftables'],
    isOptional: true,
  },
};

/** Ubuntu's /usr/bin/chromium-browser may be but a hint at a snap, hence not only a look whether it exists. */
function find({ variable, programs, ask = '--version' }) {
  const candidates = process.env[variable] ? [process.env[variable]] : programs;
  return candidates.find(
    (program) => existsSync(program) && spawnSync(program, [ask], { timeout: 60_000 }).status === 0,
  );
}

const canInstall = () =>
  process.getuid?.() === 0 &&
  existsSync('/usr/bin/apt-get') &&
  existsSync('/etc/os-release') &&
  /^ID(_LIKE)?=.*(debian|ubuntu)/m.test(readFileSync('/etc/os-release', 'utf8'));

async function install(packages) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (...args) => run('apt-get', args, { quiet: true, env });
  const updated = await apt('update');
  const installed = await apt('install', '--yes', '--no-install-recommends', ...packages);
  return installed.ok ? '' : `${updated.output}${installed.output}`;
}

/**
 * Looks for a part, installs it if it can, and tells the tests where it is.
 * `ok` is false only where a missing part must not pass: when CI is set, and it is not optional.
 */
export async function ensurePart(name) {
  const part = parts[name];
  let output = '';
  let program = find(part);
  if (!program && canInstall()) {
    console.log(`  ${name} is missing: installing ${part.packages.join(' ')} with apt-get ...`);
    output = await install(part.packages);
    program = find(part);
  }
  if (program) {
    process.env[part.variable] = program;
    return { ok: true, isThere: true, output: `${name}: ${program}\n` };
  }
  const advice = `${name} is missing. On Debian or Ubuntu: sudo apt-get install ${part.packages.join(' ')}\nElsewhere: install it and set ${part.variable} to its path.\n`;
  return { ok: !process.env.CI || part.isOptional === true, isThere: false, output: output + advice };
}
