import { EventEmitter, on, once } from 'node:events';
import type { AddressInfo } from 'node:net';
import {
  GraphQLBoolean,
  GraphQLInt,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLSchema,
  GraphQLString,
} from 'graphql';
import type { Context } from 'graphql-ws';
import { createClient } from 'graphql-ws/client';
import { type Extra, useServer } from 'graphql-ws/use/ws';
import { WebSocket, WebSocketServer } from 'ws';
import {
  type ClientEnd,
  type End,
  HOST,
  type Payload,
  RECONNECT,
  type ServerEnd,
  type System,
} from '../system.js';

/** What the resolvers are given: the connection. */
type Ctx = Context<Record<string, unknown>, Extra>;

const NonNull = GraphQLNonNull;
const args = { n: { type: new NonNull(GraphQLInt) }, text: { type: new NonNull(GraphQLString) } };
const Said = new NonNull(new GraphQLObjectType<Payload>({ name: 'Said', fields: args }));

/** A subscription to what an emitter says. */
const saidBy = (emitterOf: (context: Ctx) => EventEmitter) => ({
  type: Said,
  subscribe: (_: unknown, __: unknown, context: Ctx) => on(emitterOf(context), 'say'),
  resolve: (said: unknown) => (said as readonly [Payload])[0],
});

async function serve(hear: (payload: Payload, from: End) => void): Promise<ServerEnd> {
  const all = new EventEmitter().setMaxListeners(0);
  const own = new WeakMap<WebSocket, { readonly emitter: EventEmitter; readonly end: End }>();
  const ownOf = ({ extra: { socket } }: Ctx) => {
    const emitter = new EventEmitter();
    const known = own.get(socket) ?? {
      emitter,
      end: { send: (payload) => void emitter.emit('say', payload) },
    };
    own.set(socket, known);
    return known;
  };
  const query = new GraphQLObjectType<unknown, Ctx>({
    name: 'Query',
    fields: { ask: { type: Said, args, resolve: (_, payload) => payload } },
  });
  const mutation = new GraphQLObjectType<unknown, Ctx>({
    name: 'Mutation',
    fields: {
      say: {
        type: GraphQLBoolean,
        args,
        resolve(_, payload, context) {
          hear(payload as Payload, ownOf(context).end);
          return true;
        },
      },
    },
  });
  const subscription = new GraphQLObjectType<unknown, Ctx>({
    name: 'Subscription',
    fields: { own: saidBy((context) => ownOf(context).emitter), all: saidBy(() => all) },
  });
  const server = new WebSocketServer({ port: 0, host: HOST, perMessageDeflate: false });
  useServer<Record<string, unknown>>(
    { schema: new GraphQLSchema({ query, mutation, subscription }), context: (context) => context },
    server,
  );
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    publish: (payload) => void all.emit('say', payload),
  };
}

const ASK = 'query ($n: Int!, $text: String!) { ask(n: $n, text: $text) { n text } }';
const SAY = 'mutation ($n: Int!, $text: String!) { say(n: $n, text: $text) }';

async function dial(port: number, hear: (payload: Payload) => void, subscribed: boolean): Promise<ClientEnd> {
  const client = createClient({
    url: `ws://${HOST}:${port}`,
    webSocketImpl: WebSocket,
    lazy: false,
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: () => true,
    retryWait: () => new Promise((resolve) => setTimeout(resolve, RECONNECT.minMs)),
  });
  const call = (query: string, { n, text }: Payload): Promise<unknown> =>
    new Promise((resolve, reject) => {
      let answer: unknown;
      client.subscribe(
        { query, variables: { n, text } },
        {
          next: ({ data }) => {
            answer = data;
          },
          error: reject,
          complete: () => resolve(answer),
        },
      );
    });
  const listen = (to: 'own' | 'all'): void => {
    client.subscribe<Record<string, Payload>>(
      { query: `subscription { ${to} { n text } }` },
      {
        next: ({ data }) => data?.[to] && hear(data[to]),
        error(error) {
          throw error;
        },
        complete: () => undefined,
      },
    );
  };
  listen('own');
  if (subscribed) listen('all');
  // Subscriptions are not confirmed; what is asked after them is answered after them.
  await call(ASK, { n: 0, text: '' });
  return {
    send: (payload) => void call(SAY, payload),
    request: (payload) => call(ASK, payload),
    acknowledged: (payload) => call(ASK, payload),
  };
}

export const graphqlWs: System = {
  key: 'graphql-ws',
  packages: ['graphql-ws', 'graphql'],
  how: 'requests are queries; one way up is a mutation, which is answered; down are subscriptions. Parsed and validated each time, its default',
  page: () => "export { createClient } from 'graphql-ws/client'",
  serve,
  dial,
};
