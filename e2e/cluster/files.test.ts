import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { adapt } from './nginx.js';

// What users copy fits together: nginx.conf, docker-compose.yml, and the server that they start.

const read = (path: string): string =>
  readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8');
const nginx = read('deploy/nginx.conf');
const compose = read('deploy/docker-compose.yml');
const all = (text: string, what: RegExp): string[] =>
  [...text.matchAll(what)].map(([, found]) => found ?? '');

test('nginx knows each server of docker-compose.yml, and each has an address that stays', () => {
  const services = all(compose, /^ {2}(node-\d+):\n {4}<<: \*node\n/gm);
  expect(services).toHaveLength(3);
  expect(all(nginx, /server (\S+):3000 /g)).toEqual(services);
  expect(all(compose, /NODE_NAME: (node-\d+)/g)).toEqual(services);
  expect(new Set(all(compose, /ipv4_address: (\S+) /g)).size).toBe(3);
  expect(all(compose, /:(\d+)"$/gm)).toEqual(all(nginx, /listen (\d+);/g));
});

test('every image has its version', () => {
  const images = [...all(compose, /image: (\S+:\S+)/g), ...all(read('deploy/Dockerfile'), /FROM (\S+)/g)];
  expect(images).toHaveLength(4);
  for (const image of images) expect(image).toMatch(/:\d+\.\d+\.\d+-/);
});

test('there is time to drain before a container is killed, and no proxy cuts what is only quiet', () => {
  const [drainMs] = all(read('playground/src/serve.ts'), /DRAIN_MS = ([\d_]+)/g);
  const [graceSeconds] = all(compose, /stop_grace_period: (\d+)s/g);
  expect(Number(graceSeconds) * 1_000).toBeGreaterThan(Number(drainMs?.replaceAll('_', '')) + 5_000);
  // 2.2 heartbeats of 20 s.
  const timeouts = all(nginx, /proxy_(?:read|send)_timeout (\d+)s/g).map(Number);
  expect(timeouts.map((seconds) => seconds > 44)).toEqual([true, true]);
});

test('Redis throws nothing away, and writes to a disk only in the class that says so', () => {
  const [node = '', disk = ''] = [compose, read('deploy/disk.yml')].map((text) => text.replace(/\s+/g, ' '));
  for (const text of [node, disk]) expect(text).toContain('--maxmemory-policy, noeviction');
  expect([node.includes('--appendonly, "no"'), disk.includes('--appendonly, "yes"')]).toEqual([true, true]);
});

test('the tests run the file of users: other addresses are all they put into it', () => {
  const place = { host: '127.0.0.1', port: 1, log: '/tmp/log', folder: '/tmp' };
  const adapted = adapt(nginx, { ...place, nodes: [11, 12], balance: 'ip_hash' }).split('\n');
  const changed = adapted.filter((line) => !nginx.split('\n').includes(line)).map((line) => line.trim());
  expect(changed).toEqual([
    ...['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path /tmp/${name};`),
    ...['ip_hash;', 'server 127.0.0.1:11 max_fails=0;', 'server 127.0.0.1:12 max_fails=0;'],
    ...['listen 127.0.0.1:1;', 'access_log /tmp/log realtime;'],
  ]);
  expect(() => adapt('http {\n', { ...place, nodes: [11] })).toThrow('nginx.conf must say');
});
