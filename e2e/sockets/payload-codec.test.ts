import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { create, createFileRegistry, type DescMessage, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorSetSchema,
} from '@bufbuild/protobuf/wkt';
import { createClient } from '@holdfast/client';
import { msgpack } from '@holdfast/client/msgpack';
import { type PayloadInfo, payloadCodec } from '@holdfast/client/payload-codec';
import { createHoldfastServer, json } from '@holdfast/server';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from './ws.js';

const { OPTIONAL: label } = FieldDescriptorProto_Label;
const { STRING, INT64, BYTES } = FieldDescriptorProto_Type;
/** message Note { string text = 1; int64 at = 2; bytes raw = 3; } */
const registry = createFileRegistry(
  create(FileDescriptorSetSchema, {
    file: [
      {
        name: 'test.proto',
        syntax: 'proto3',
        messageType: [
          {
            name: 'Note',
            field: [
              { name: 'text', number: 1, type: STRING, label },
              { name: 'at', number: 2, type: INT64, label },
              { name: 'raw', number: 3, type: BYTES, label },
            ],
          },
        ],
      },
    ],
  }),
);
const Note = registry.getMessage('Note') as DescMessage;
const types: { readonly [key: string]: DescMessage } = {
  'event.client.note': Note,
  'event.server.note': Note,
  'request.client.echo': Note,
  'reply.server.echo': Note,
};
const typeOf = ({ kind, name, from }: PayloadInfo): DescMessage => {
  const type = types[`${kind}.${from}.${name}`];
  if (!type) throw new TypeError(`no message for ${name}`);
  return type;
};
const protobuf = (envelope = json()) =>
  payloadCodec({
    name: 'protobuf',
    envelope,
    encode: (payload, info) => toBinary(typeOf(info), create(typeOf(info), payload as never)),
    decode: (bytes, info) => fromBinary(typeOf(info), bytes),
  });
const payload = { text: 'hällo', at: 2n ** 60n, raw: new Uint8Array([0, 255]) };

async function serve(codecs: Parameters<typeof createHoldfastServer>[0] = {}) {
  const server = createHoldfastServer(codecs);
  onTestFinished(() => server.close());
  server.handle('echo', (input) => input);
  server.rooms('*', { join: true, publish: true });
  const { port } = await server.listen(0, '127.0.0.1');
  return { server, url: `ws://127.0.0.1:${port}/realtime` };
}

describe.each([
  ['json', json()],
  ['msgpack', msgpack()],
])('Protocol Buffers in %s', (name, envelope) => {
  test('are spoken by both ends over a real socket, beside others', async () => {
    const { server, url } = await serve({ codecs: [protobuf(envelope), json()] });
    const notes: unknown[] = [];
    server.on('note', (note) => notes.push(note));
    const [ada, bob] = [createClient({ url, codec: protobuf(envelope) }), createClient({ url })];
    onTestFinished(async () => void (await Promise.all([ada.close(), bob.close()])));
    await Promise.all([ada.connect(), bob.connect()]);
    expect(await ada.request('echo', payload)).toMatchObject(payload);
    const rooms = [ada.room('r'), bob.room('r')] as const;
    await Promise.all(rooms.map((room) => room.join()));
    const heard = rooms.map((room) => new Promise((resolve) => room.on('note', resolve)));
    await rooms[0].send('note', payload);
    expect(await heard[1]).toMatchObject(payload);
    await rooms[1].send('note', { text: 'from JSON' });
    expect(await heard[0]).toMatchObject({ text: 'from JSON', at: 0n });
    expect(notes).toHaveLength(2);
    await expect(ada.send('typing', {})).rejects.toMatchObject({
      code: 'ERR_INVALID_PAYLOAD',
      delivery: 'unsent',
    });
  });

  test('bytes that are no such message are refused to their sender; the connection stays', async () => {
    const { url } = await serve({ codecs: [protobuf(envelope)] });
    const socket = new WebSocket(url, `holdfast.v1.${name}+protobuf`);
    onTestFinished(() => socket.terminate());
    await once(socket, 'open');
    expect(socket.protocol).toBe(`holdfast.v1.${name}+protobuf`);
    const say = (ack: number, seq: number, ...items: unknown[][]) =>
      socket.send(
        envelope.frame(
          ack,
          seq,
          items.map((item) => envelope.encode(item as never)),
        ) as Buffer,
      );
    const heard: unknown[][] = [];
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      const [, , ...items] = envelope.decode(isBinary ? new Uint8Array(data) : String(data)) as unknown[][];
      heard.push(...(items as unknown[][]));
    });
    say(0, 0, [0, { v: 1, c: 'a-nonce-of-22-characters', n: 1, w: [1_000, 1_048_576] }]);
    await expect.poll(() => heard.some(([type]) => type === 1)).toBe(true);
    say(0, 1, [3, 'echo', new Uint8Array([0xff, 0xff])], [3, 'echo', { text: 'no bytes' }]);
    say(0, 3, [3, 'echo', toBinary(Note, create(Note, payload as never))]);
    await expect.poll(() => heard.filter(([type]) => type === 4 || type === 5).length).toBe(3);
    const [damaged, plain, good] = heard.filter(([type]) => type === 4 || type === 5);
    expect(damaged?.slice(0, 3)).toEqual([5, 1, 'ERR_INVALID_PAYLOAD']);
    expect(plain?.slice(0, 4)).toEqual([
      5,
      2,
      'ERR_INVALID_PAYLOAD',
      "cannot be decoded: 'protobuf' is bytes, and something else came",
    ]);
    expect(fromBinary(Note, good?.[2] as Uint8Array)).toMatchObject(payload);
    expect(socket.readyState).toBe(WebSocket.OPEN);
  });
});

test('a server that does not speak it says so, and the client stops', async () => {
  const { url } = await serve();
  const client = createClient({ url, codec: protobuf() });
  onTestFinished(() => client.close());
  await expect(client.connect()).rejects.toMatchObject({
    code: 'ERR_PROTOCOL_VERSION',
    message: 'this server speaks holdfast.v1.json, not holdfast.v1.json+protobuf',
  });
  expect(client.getState().status).toBe('failed');
});

test('examples/protobuf runs as it stands', async () => {
  const program = fileURLToPath(new URL('../../examples/protobuf/main.mjs', import.meta.url));
  const child = spawn(process.execPath, [program], { env: { ...process.env, NO_COLOR: '1' } });
  onTestFinished(() => void child.kill('SIGKILL'));
  const ended = once(child, 'close');
  const [said, complaints] = await Promise.all([text(child.stdout), text(child.stderr)]);
  expect([complaints, (await ended)[0]]).toEqual(['', 0]);
  expect(said).toContain("text: 'hello'");
  expect(said).toContain("ada read [ 'hello at 1099511627776' ]");
  expect(said).toContain("ERR_INVALID_PAYLOAD 'typing' cannot be encoded as msgpack+protobuf");
});
