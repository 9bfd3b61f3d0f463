import { beImpatient } from './case.js';
import { clientCases } from './client/cases.js';
import { serverMutants } from './mutants/servers.js';
import { runCases } from './run.js';
import { conformanceServer } from './server/application.js';
import { serverCases } from './server/cases.js';
import { Server } from './server/subject.js';
import { json } from './wire.js';

beImpatient(700);
const killed = new Map<string, string[]>();
if (process.argv[2] === 'server') {
  for (const c of serverCases) killed.set(c.name, []);
  const own = conformanceServer();
  const { port } = await own.listen(0, '127.0.0.1');
  for (const [name, mutate] of Object.entries(serverMutants)) {
    const rs = await runCases(
      serverCases.filter((c) => !c.isSlow),
      new Server(`ws://127.0.0.1:${port}/realtime`, json, mutate),
    );
    const f = rs.filter((r) => r.status === 'failed');
    for (const r of f) killed.get(r.name)?.push(name);
    console.log(name, f.length, f.length < 14 ? '\n      ' + f.map((r) => r.name).join('\n      ') : '');
  }
}
if (process.argv[2] === 'client') {
  beImpatient(1500);
  const { clientMutants } = await import('./mutants/clients.js');
  for (const c of clientCases) killed.set(c.name, []);
  for (const [name, mutate] of Object.entries(clientMutants)) {
    const rs = await runCases(
      clientCases.filter((c) => !c.isSlow),
      { command: `node e2e/conformance/under-test/${process.argv[3]}-client.mjs`, mutate: mutate() },
    );
    const f = rs.filter((r) => r.status === 'failed');
    for (const r of f) killed.get(r.name)?.push(name);
    console.log(name, f.length, f.length < 14 ? '\n      ' + f.map((r) => r.name).join('\n      ') : '');
  }
}
console.log(
  'SURVIVE',
  [...killed].filter(([, m]) => m.length === 0).map(([n]) => n),
);
process.exit(0);
