import { expect, test } from 'vitest';
import { groupOf, profileTables } from '../src/speed/profile/profile-tables.js';
import { selfTimes } from '../src/speed/profile/self-time.js';

const frame = (functionName: string, url = '', lineNumber = -1) => ({
  functionName,
  url,
  lineNumber,
  columnNumber: 0,
  scriptId: '0',
});

test('samples of one function are one row wherever it was called from; what was idle is none', () => {
  const nodes = [
    { id: 1, callFrame: frame('(idle)') },
    { id: 2, callFrame: frame('send', 'file:///ws.js', 9) },
    { id: 3, callFrame: frame('send', 'file:///ws.js', 9) },
    { id: 4, callFrame: frame('', 'file:///ws.js', 20) },
  ];
  const profile = {
    nodes,
    startTime: 0,
    endTime: 1,
    samples: [1, 2, 4, 3, 1],
    timeDeltas: [900, 10, 25, 20, 900],
  };
  expect(selfTimes(profile)).toEqual([
    { name: 'send', url: 'file:///ws.js', line: 10, micros: 30 },
    { name: '(anonymous)', url: 'file:///ws.js', line: 21, micros: 25 },
  ]);
});

const time = (name: string, url: string, micros = 1) => ({ name, url, line: 3, micros });

test('every function belongs to somebody', () => {
  const store = 'file:///x/node_modules/.pnpm/engine.io@6/node_modules';
  expect(
    [
      time('(garbage collector)', ''),
      time('jsonParse', 'file:///x/bench/dist/speed/server.js'),
      time('writev', ''),
      time('dispatch', ''),
      time('emit', 'node:events'),
      time('send', `${store}/engine.io/build/socket.js`),
      time('take', `${store}/@scope/it/index.js`),
      time('reply', 'file:///x/packages/server/dist/shared/server.js'),
      time('hear', 'file:///x/bench/dist/speed/server.js'),
    ].map(groupOf),
  ).toEqual([
    'garbage collection',
    'JSON',
    'write system calls',
    'native code',
    'Node',
    'engine.io',
    '@scope/it',
    'packages/server',
    'bench',
  ]);
});

test('shares are those of the busy time; the groups count what is not among the first, too', () => {
  const many = Array.from({ length: 15 }, (_, n) =>
    time(`f${n}`, `file:///x/packages/client/dist/${n}.js`, 4),
  );
  const [top = '', groups = ''] = profileTables('client', [time('writev', '', 40), ...many]).split('\n\n');
  const rows = top.split('\n').slice(2);
  expect([rows.length, ...rows.slice(0, 2)]).toEqual([
    12,
    '| writev |  | 40.0 |',
    '| f0 | packages/client/dist/0.js:3 | 4.0 |',
  ]);
  expect(groups.split('\n').slice(2)).toEqual([
    '| packages/client | 60.0 |',
    '| write system calls | 40.0 |',
  ]);
});
