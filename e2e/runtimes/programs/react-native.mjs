// The story in what looks like a React Native app; before it, the app comes to the front. In MessagePack: bytes go another way.
import process from 'node:process';
import { msgpack } from '@holdfast/client/msgpack';
import { createClientOn } from '@holdfast/client/ports';
import { reactNativePorts } from '@holdfast/client/react-native';
import { AppState, becomes } from './react-native-stub.mjs';
import { story } from './story.mjs';

const createClient = (options) =>
  createClientOn(reactNativePorts({ AppState }), { ...options, codec: msgpack() });

async function comesToTheFront(ground) {
  const { id, url } = await (await fetch(`${ground}/begin`)).json();
  const client = createClient({ url, auth: id });
  client.on('tick', () => undefined);
  await client.connect();
  becomes('background');
  const healths = [client.getState().health];
  const stop = client.onState(({ health }) => healths.push(health));
  becomes('active');
  while (healths.length < 3) await new Promise((resolve) => setTimeout(resolve, 5));
  stop();
  await client.close();
  return healths;
}

const ground = process.argv.at(-1);
const healths = await comesToTheFront(ground);
if (healths.join() !== 'good,suspect,good') throw new Error(`the connection was ${healths}`);
console.log(JSON.stringify(await story(createClient, ground)));
