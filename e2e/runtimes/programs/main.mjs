// The story as an ES module, for Node, Bun and Deno; bundled, for those with the WebSocket of the platform.
import process from 'node:process';
import { createClient } from '@holdfast/client';
import { story } from './story.mjs';

console.log(JSON.stringify(await story(createClient, process.argv.at(-1))));
