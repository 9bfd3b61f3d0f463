import { main } from './main.js';

process.exitCode = await main(process.argv.slice(2));
// Nothing of ours runs, but perhaps something that a config file has begun: it would keep this process.
if (process.exitCode === 2) process.stderr.write('', () => process.exit());
