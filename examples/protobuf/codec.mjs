// Payloads in Protocol Buffers. In a project of your own `protoc-gen-es` or `buf generate` makes the descriptors of your
// .proto files; here they are written out, so that the example needs no compiler. As a .proto they would read:
//
//   syntax = "proto3";
//   package chat;
//   message Message { string text = 1; bytes picture = 2; int64 sent_at = 3; }
//   message HistoryInput { string room = 1; uint32 limit = 2; }
//   message HistoryOutput { repeated Message messages = 1; }

import { create, createFileRegistry, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorSetSchema,
} from '@bufbuild/protobuf/wkt';
import { payloadCodec } from '@holdfast/client/payload-codec';

const { OPTIONAL, REPEATED } = FieldDescriptorProto_Label;
const { STRING, BYTES, INT64, UINT32, MESSAGE } = FieldDescriptorProto_Type;
const field = (name, number, type, label = OPTIONAL, typeName = undefined) => ({
  name,
  number,
  type,
  label,
  typeName,
});

const registry = createFileRegistry(
  create(FileDescriptorSetSchema, {
    file: [
      {
        name: 'chat.proto',
        package: 'chat',
        syntax: 'proto3',
        messageType: [
          {
            name: 'Message',
            field: [field('text', 1, STRING), field('picture', 2, BYTES), field('sent_at', 3, INT64)],
          },
          { name: 'HistoryInput', field: [field('room', 1, STRING), field('limit', 2, UINT32)] },
          { name: 'HistoryOutput', field: [field('messages', 1, MESSAGE, REPEATED, '.chat.Message')] },
        ],
      },
    ],
  }),
);

/** Which message stands for which payload: an event is the same in both directions. */
const messages = {
  'event message': 'chat.Message',
  'request history': 'chat.HistoryInput',
  'reply history': 'chat.HistoryOutput',
};

function messageFor({ kind, name }) {
  const message = registry.getMessage(messages[`${kind} ${name}`] ?? '');
  // Refuses this one message, with ERR_INVALID_PAYLOAD; the connection goes on.
  if (!message) throw new TypeError(`no Protocol Buffers message for the ${kind} '${name}'`);
  return message;
}

/**
 * The same codec for both ends: `createClient({ codec: protobuf() })`, `createHoldfastServer({ codecs: [protobuf(), json()] })`.
 * What is around the payloads is JSON, or what `envelope` says, such as `msgpack()`.
 */
export const protobuf = (envelope) =>
  payloadCodec({
    name: 'protobuf',
    envelope,
    encode: (payload, info) => toBinary(messageFor(info), create(messageFor(info), payload)),
    decode(bytes, info) {
      // A message of the library's; whoever wants plain objects takes off what it adds.
      const { $typeName, $unknown, ...payload } = fromBinary(messageFor(info), bytes);
      return payload;
    },
  });
