// The law of globals: time, chance and the network come in through ports, never through a global, so that a
// simulation can rule over them. The compiler says what a name means, so a local `performance` is no offence
// and `globalThis.setTimeout`, `self.Date` or `Math['random']` is one. Types are free: `signal?: AbortSignal`.

import { relative } from 'node:path';
import ts from 'typescript';
import { root } from '../lib/process.mjs';

/** Time and chance, wherever they come from. */
const timeAndChance = new Set([
  ...['setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval', 'clearImmediate'],
  ...['Date', 'performance', 'crypto', 'Crypto', 'queueMicrotask', 'requestAnimationFrame'],
  ...['requestIdleCallback', 'scheduler', 'Temporal'],
]);

/** Of the platform, what only computes and is the same everywhere. */
const harmless = new Set([
  ...['TextEncoder', 'TextDecoder', 'URL', 'URLSearchParams', 'structuredClone', 'btoa', 'atob'],
  ...['AbortController', 'AbortSignal', 'DOMException', 'Event', 'EventTarget', 'MessageEvent', 'Blob'],
]);

/** Another name for everything at once. */
const world = new Set(['globalThis', 'window', 'self', 'global', 'top', 'parent', 'frames']);

const zones = [
  {
    name: 'no global of a platform in protocol and client, but in client/src/platform',
    covers: (path) => /^packages\/(protocol|client)\/src\/(?!platform[/.])/.test(path),
    forbids: (name, isOfPlatform) => timeAndChance.has(name) || (isOfPlatform && !harmless.has(name)),
  },
  {
    name: 'no time or chance in the server, but in server/src/platform',
    covers: (path) => /^packages\/server\/src\/(?!platform[/.])/.test(path),
    forbids: (name) => timeAndChance.has(name),
  },
];

const { config } = ts.readConfigFile(`${root}/tsconfig.json`, ts.sys.readFile);
const { fileNames, options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
const pathOf = (file) => relative(root, file).replaceAll('\\', '/');
const zoneOf = (file) => zones.find((zone) => zone.covers(pathOf(file)));

const program = ts.createProgram(
  fileNames.filter((file) => zoneOf(file)),
  options,
);
const checker = program.getTypeChecker();
const offences = [];

/** Where a name is declared: in the language's own library, by a platform, or in a module (then it is no global). */
function originOf(identifier) {
  const symbol = ts.isShorthandPropertyAssignment(identifier.parent)
    ? checker.getShorthandAssignmentValueSymbol(identifier.parent)
    : checker.getSymbolAtLocation(identifier);
  if (!symbol) return identifier.text === 'globalThis' ? 'platform' : 'unknown';
  const files = (symbol.declarations ?? []).map((declaration) => declaration.getSourceFile());
  if (files.length === 0) return world.has(identifier.text) ? 'platform' : 'unknown';
  if (
    files.some(
      (file) => !program.isSourceFileDefaultLibrary(file) && !/node_modules\/@types\//.test(file.fileName),
    )
  )
    return 'module';
  const isOfLanguage = files.some((file) => /\/lib\.es[^/]*\.d\.ts$|\/lib\.decorators/.test(file.fileName));
  return isOfLanguage ? 'language' : 'platform';
}

/** `Math.random`, `Math['random']`, `const { random } = Math` and `Math` handed on as a whole. */
function takesRandom(math) {
  const { parent } = math;
  if (ts.isPropertyAccessExpression(parent)) return parent.name.text === 'random';
  if (ts.isElementAccessExpression(parent)) {
    return !ts.isStringLiteralLike(parent.argumentExpression) || parent.argumentExpression.text === 'random';
  }
  return true;
}

/** `new Date(ms)` and `instanceof Date` read no clock; `new Date()` and `Date.now` do. */
function readsClock(date) {
  const { parent } = date;
  if (ts.isNewExpression(parent) && parent.expression === date) return !parent.arguments?.length;
  return !ts.isBinaryExpression(parent) || parent.operatorToken.kind !== ts.SyntaxKind.InstanceOfKeyword;
}

/** A name that stands for a value from outside: not a property's name, not a declaration, not a type. */
function isReference(identifier) {
  const { parent } = identifier;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === identifier;
  if (ts.isQualifiedName(parent) || ts.isTypeReferenceNode(parent) || ts.isTypeQueryNode(parent))
    return false;
  if (ts.isShorthandPropertyAssignment(parent)) return true;
  if (ts.isExpressionWithTypeArguments(parent)) {
    const clause = parent.parent;
    return clause.token === ts.SyntaxKind.ExtendsKeyword && ts.isClassDeclaration(clause.parent);
  }
  // Not in the published types of the compiler, but the only one that tells `typeof X` from `X` everywhere.
  return ts.isExpressionNode(identifier);
}

function visit(node, zone, file) {
  if (ts.isIdentifier(node) && isReference(node)) {
    const name = node.text;
    const origin = originOf(node);
    const isOffence =
      origin === 'module' || origin === 'unknown'
        ? false
        : name === 'Math'
          ? takesRandom(node)
          : name === 'Date' && !readsClock(node)
            ? false
            : world.has(name) || zone.forbids(name, origin === 'platform');
    if (isOffence) {
      const { line, character } = file.getLineAndCharacterOfPosition(node.getStart());
      const what = name === 'Math' ? 'Math.random' : name;
      offences.push(`${pathOf(file.fileName)}:${line + 1}:${character + 1}  ${what}  (${zone.name})`);
    }
  }
  ts.forEachChild(node, (child) => visit(child, zone, file));
}

let looked = 0;
for (const file of program.getSourceFiles()) {
  const zone = zoneOf(file.fileName);
  if (!zone || file.isDeclarationFile) continue;
  looked += 1;
  visit(file, zone, file);
}

if (looked === 0) offences.push('no source was found to look at');
for (const offence of offences) console.error(offence);
if (offences.length > 0) console.error(`\n${offences.length} global(s) where only ports may be used`);
process.exit(offences.length > 0 ? 1 : 0);
