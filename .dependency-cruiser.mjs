// Who may import whom. The table is in ARCHITECTURE.md; here it is enforced, by `npm test`.
// A rule's `to` names what is forbidden; $1 stands for the first bracket of its `from.path`.

const ownDoors =
  '^packages/[^/]+/src/(index|ports|jwt|metrics|msgpack|payload-codec|plain|explain|lite|react-native|storage|storage-file|stream|tabs|tabs-worker|users)[.]ts$|^packages/testing/src/tcp-proxy[.]ts$';
const protocolDoor = '^packages/protocol/src/index[.]ts$';
const sharedTypes = '^packages/client/src/(room-)?types[.]ts$';
const clientPorts = '^packages/client/src/ports/';
const clientCore = '^packages/client/src/core/';
const clientRuntime = '^packages/client/src/runtime(/|[.]ts$)';

const rule = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

export default {
  forbidden: [
    rule(
      'no-cycle',
      'Whatever goes in a circle cannot be read, tested or changed one by one. A cycle of types counts too.',
      {},
      { circular: true },
    ),
    rule('resolvable', 'An import must lead somewhere.', {}, { couldNotResolve: true }),

    // Between packages.
    rule(
      'public-doors-only',
      "Of another package, only its public entries: what is behind them is that package's own business.",
      { path: '^packages/([^/]+)/' },
      { path: '^packages/', pathNot: ['^packages/$1/', ownDoors] },
    ),
    rule(
      'apps-use-public-doors',
      'The playground, the benchmark and the end-to-end tests stand where a user stands.',
      { path: '^(playground|bench|e2e)/' },
      { path: '^packages/', pathNot: ownDoors },
    ),
    rule(
      'packages-stand-alone',
      'A package knows nothing of those that use it.',
      { path: '^packages/' },
      { path: '^(playground|bench|e2e|scripts)/' },
    ),
    rule(
      'e2e-runs-the-playground-from-outside',
      'It is started as a program, as a user starts it.',
      { path: '^e2e/' },
      { path: '^playground/' },
    ),
    rule(
      'examples-stand-alone',
      'They are models for others: whoever copies one has all of it, and stands where a user stands.',
      { path: '^examples/' },
      {
        path: '.',
        pathNot: ['^examples/([^/]+)/', '^node_modules/', ownDoors],
        dependencyTypesNot: ['core'],
      },
    ),
    rule(
      'sources-do-not-import-tests',
      'Tests are not part of what is published, and neither is the test kit, except to itself.',
      { path: '^(packages/(?!testing/)[^/]+|playground)/src/' },
      { path: '^packages/[^/]+/test/|^test/|^e2e/|^packages/testing/' },
    ),
    rule(
      'test-kit-stays-in-its-package',
      'The kit does not import its own tests.',
      { path: '^packages/testing/src/' },
      { path: '^packages/[^/]+/test/|^test/|^e2e/' },
    ),
    rule(
      'test-kit-loads-anywhere',
      'In a browser, too: only the TCP proxy, an entry of its own, needs Node.',
      { path: '^packages/testing/src/(?!tcp-proxy(/|[.]ts$))' },
      { path: '^packages/testing/src/tcp-proxy(/|[.]ts$)|^(node:)?(net|timers|events)$' },
    ),

    rule(
      'sources-do-without-dev-dependencies',
      'A user does not have them. For a type, too: the declarations would ask for it.',
      { path: '^(packages/[^/]+|playground)/src/' },
      { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm', 'npm-peer'] },
    ),

    // The protocol: pure.
    rule(
      'protocol-imports-nothing-of-ours',
      'Both ends stand on it; it stands on nothing.',
      { path: '^packages/protocol/src/' },
      { path: '^packages/(?!protocol/src/)' },
    ),
    rule(
      'protocol-is-pure',
      'No I/O: neither a module of Node nor a library but the event emitter, and in its own entry that of MessagePack.',
      { path: '^packages/protocol/src/' },
      {
        dependencyTypes: ['core', 'npm', 'npm-dev', 'npm-no-pkg', 'npm-unknown'],
        pathNot: 'eventemitter3|@msgpack/msgpack',
      },
    ),
    rule(
      'msgpack-in-one-place',
      'Whoever speaks JSON only must not have to load the library.',
      { path: '^packages/', pathNot: '^packages/protocol/src/msgpack[.]ts$' },
      { path: '@msgpack/msgpack' },
    ),
    rule(
      'msgpack-is-an-entry-of-its-own',
      'If the main entry imported it, it would be in every bundle.',
      { path: '^packages/[^/]+/src/', pathNot: '^packages/[^/]+/src/msgpack[.]ts$' },
      { path: '^packages/[^/]+/src/msgpack[.]ts$' },
    ),

    rule(
      'bindings-stand-where-a-user-stands',
      'They are written as anybody could write one for another UI library.',
      { path: '^packages/(react|vue)/src/' },
      { path: '^packages/(?!(react|vue)/|client/src/(index|users)[.]ts$)' },
    ),

    // The client: api → runtime → core; platform implements ports.
    rule(
      'client-does-not-know-the-server',
      'They meet on the wire only.',
      { path: '^packages/client/src/' },
      { path: '^packages/server/' },
    ),
    rule(
      'core-decides-and-nothing-else',
      'It sees the protocol, the shapes of the ports and shared types: not runtime, platform, Node or a library.',
      { path: clientCore },
      { pathNot: [clientCore, clientPorts, protocolDoor, sharedTypes] },
    ),
    rule(
      'core-takes-ports-as-types',
      'What a port does is handed in; its module has nothing to say here but its type.',
      { path: clientCore },
      { path: [clientPorts, sharedTypes], dependencyTypesNot: ['type-only'] },
    ),
    rule(
      'core-files-do-not-know-each-other',
      'Only connection.ts composes them; they share core/types.ts.',
      { path: `${clientCore}([^/.]+)(?:/|[.]ts$)`, pathNot: `${clientCore}connection(/|[.]ts$)` },
      { path: clientCore, pathNot: [`${clientCore}$1/`, `${clientCore}types[.]ts$`] },
    ),
    rule(
      'runtime-runs-the-core',
      'It sees core, ports and protocol; the platform comes in through the constructor.',
      { path: clientRuntime },
      { pathNot: [clientRuntime, clientCore, clientPorts, protocolDoor, sharedTypes] },
    ),
    rule(
      'durable-messages-without-runtime',
      'Whoever stores nothing must not have to load it: an entry of its own, which knows shapes and the protocol.',
      { path: '^packages/client/src/durable/' },
      {
        path: '^packages/client/src/',
        pathNot: ['^packages/client/src/durable/', '^packages/client/src/core/types[.]ts$', clientPorts],
      },
    ),
    rule(
      'durable-is-an-entry-of-its-own',
      'If the main entry imported it, it would be in every bundle.',
      { path: '^packages/client/src/', pathNot: '^packages/client/src/(durable/|storage(-file)?[.]ts$)' },
      { path: '^packages/client/src/(durable|platform/(browser|node)/[^/]+-outbox)' },
    ),
    rule(
      'tabs-without-runtime',
      'They carry what a client says, and do not understand it: an entry of its own, which knows shapes and the protocol.',
      { path: '^packages/client/src/tabs/' },
      { pathNot: ['^packages/client/src/tabs/', clientPorts, protocolDoor] },
    ),
    rule(
      'tabs-are-an-entry-of-their-own',
      'If the main entry imported them, they would be in every bundle.',
      { path: '^packages/client/src/', pathNot: '^packages/client/src/(tabs/|tabs(-worker)?[.]ts$)' },
      { path: '^packages/client/src/(tabs|platform/browser/(tab-platform|shared-worker))' },
    ),
    rule(
      'ports-are-leaves',
      'A port is a shape: it may speak of the protocol and of other ports.',
      { path: clientPorts },
      { pathNot: [clientPorts, protocolDoor, sharedTypes] },
    ),
    rule(
      'shared-types-are-leaves',
      'Everybody in the client imports them, so they may import only protocol, ports and each other, and only types.',
      { path: sharedTypes },
      { pathNot: [clientPorts, protocolDoor, sharedTypes] },
    ),
    rule(
      'client-platform-implements-ports',
      'It sees ports and protocol, libraries and Node, and no other platform.',
      { path: '^packages/client/src/platform/([^/.]+)(?:/|[.]ts$)' },
      { path: '^packages/client/src/', pathNot: ['^packages/client/src/platform/$1(/|[.]ts$)', clientPorts] },
    ),
    rule(
      'client-touches-node-in-one-place',
      "The rest has to run in a browser; sockets come from isomorphic-ws, in a platform's folder.",
      { path: '^packages/client/src/', pathNot: '^packages/client/src/platform/' },
      { dependencyTypes: ['core', 'npm'], pathNot: '^packages/' },
    ),
    rule(
      'browser-platform-without-node',
      'A module of Node does not load in a browser.',
      { path: '^packages/client/src/platform/(browser|worker)(/|[.]ts$)|^playground/src/page/' },
      { dependencyTypes: ['core'] },
    ),

    // The server.
    rule(
      'server-does-not-know-the-client',
      'They meet on the wire only.',
      { path: '^packages/server/src/' },
      { path: '^packages/client/' },
    ),
    rule(
      'server-platform-implements-ports',
      'It sees ports and protocol.',
      { path: '^packages/server/src/platform(/|[.]ts$)' },
      {
        path: '^packages/server/src/',
        pathNot: '^packages/server/src/(platform|ports)(/|[.]ts$)',
      },
    ),
    rule(
      'server-takes-time-and-chance-from-ports',
      'Otherwise no simulation can rule over them.',
      { path: '^packages/server/src/', pathNot: '^packages/server/src/platform(/|[.]ts$)' },
      {
        path: '^(node:)?(timers|timers/promises|perf_hooks|crypto|worker_threads)$',
        dependencyTypes: ['core'],
      },
    ),
    rule(
      'metrics-are-an-entry-of-their-own',
      'Whoever counts for nobody must not have to install prom-client.',
      { path: '^packages/server/src/', pathNot: '^packages/server/src/(metrics|observe/prometheus)[.]ts$' },
      { path: 'prom-client|^packages/server/src/(metrics|observe/prometheus)[.]ts$' },
    ),
    rule(
      'server-ports-are-leaves',
      'A port is a shape: it may speak of the protocol and of other ports.',
      { path: '^packages/server/src/ports/' },
      { path: '^packages/server/src/', pathNot: '^packages/server/src/(ports(/|[.]ts$)|types[.]ts$)' },
    ),

    // Several servers over one Redis.
    rule(
      'redis-implements-ports-of-the-server',
      'It sees the ports and the protocol: what a server does with a store is not its business.',
      { path: '^packages/redis/src/' },
      {
        path: '^packages/(?!redis/)',
        pathNot: ['^packages/server/src/ports[.]ts$', protocolDoor],
      },
    ),
    rule(
      'redis-speaks-in-one-place',
      'Which library speaks to Redis, and how it fails, is the business of one file.',
      { path: '^packages/[^/]+/src/', pathNot: '^packages/redis/src/dial[.]ts$' },
      { path: 'ioredis' },
    ),

    rule(
      'nats-implements-the-bus',
      'It sees the ports and the protocol: what notes are is the business of stores.',
      { path: '^packages/nats/src/' },
      {
        path: '^packages/(?!nats/)',
        pathNot: ['^packages/server/src/ports[.]ts$', protocolDoor],
      },
    ),
    rule(
      'nats-speaks-in-one-place',
      'Which library speaks to NATS, and how it fails, is the business of one file.',
      { path: '^packages/[^/]+/src/', pathNot: '^packages/nats/src/dial[.]ts$' },
      { path: '@nats-io' },
    ),

    // The command.
    rule(
      'command-uses-public-doors-for-applications',
      'It stands where a user stands: no ports, no protocol of its own, no test kit.',
      { path: '^packages/cli/' },
      {
        path: '^packages/(?!cli/)',
        pathNot: '^packages/(client/src/(index|explain)|server/src/(index|jwt))[.]ts$',
      },
    ),
    rule(
      'command-rooms-do-not-know-each-other',
      'serve, connect and bench share options and output; only main.ts knows all three.',
      { path: '^packages/cli/src/(serve|connect|bench)/' },
      { path: '^packages/cli/src/(serve|connect|bench)/', pathNot: '^packages/cli/src/$1/' },
    ),

    // The playground.
    rule(
      'page-does-not-know-the-server',
      'It runs in a browser; what the chat may say it takes from the contract, as a type.',
      { path: '^playground/src/page/' },
      { path: '^packages/server/' },
    ),
    rule(
      'page-shares-only-types-and-limits',
      'Whatever else it took as a value would be shipped to the browser, with all that hangs on it.',
      { path: '^playground/src/page/' },
      { path: '^playground/src/(?!page/|limits[.]ts$)', dependencyTypesNot: ['type-only'] },
    ),
    rule(
      'limits-are-a-leaf',
      'Page, bot and server share them.',
      { path: '^playground/src/limits[.]ts$' },
      { path: '.' },
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(packages/[^/]+|playground|bench)/dist/|^[.]build/' },
    tsConfig: { fileName: 'tsconfig.json' },
    // Imports that only bring types are imports as well: they are what couples.
    tsPreCompilationDeps: true,
    combinedDependencies: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'default'],
      extensions: ['.ts', '.tsx', '.mjs', '.js', '.d.ts', '.vue'],
    },
  },
};
