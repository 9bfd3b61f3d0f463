import { runCases } from './run.js';
import { clientCases } from './client/cases.js';
const only = process.argv[3];
const results = await runCases(clientCases.filter(c => !only || c.name.includes(only)), {command: process.argv[2]!}, (r) => console.log(r.status === 'passed' ? '✓' : r.status === 'failed' ? '✗' : '-', r.name, r.why ? `\n    section ${r.section}: ${r.why}` : ''));
console.log(results.filter(r => r.status === 'passed').length, 'passed', results.filter(r => r.status === 'failed').length, 'failed');
process.exit(0);
