import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Awaitable, checkKeys, isPromiseLike } from '@holdfast/protocol';
import { safeEqual } from '../platform/safe-equal.js';
import { requestedPath } from '../requested-path.js';
import type { ServerStats } from './stats.js';

/** What else is served beside `/health` and `/ready`. */
export interface OperationsOptions {
  /**
   * Who may read `/stats` and `/metrics`: whoever brings this bearer token (at least 16 characters), or the requests for
   * which the function returns true. Default: nobody, and neither path is served.
   */
  allow?: string | ((request: IncomingMessage) => Awaitable<boolean>) | undefined;
  /** For `/metrics`: `prometheus()`, or any `Registry` of prom-client. Needs `allow`. Default: `/metrics` is not served. */
  metrics?: { readonly contentType: string; metrics(): Awaitable<string> } | undefined;
}

/**
 * A handler for requests of `node:http`. False if the request is for another path: then nothing was done, but to call
 * `next` where it is given, as Express gives it.
 */
export type Operations = (request: IncomingMessage, response: ServerResponse, next?: () => void) => boolean;

interface OperationsSurroundings {
  stats(): ServerStats;
  /** Somebody wants to know how the store does. */
  look(): void;
  digest(text: string): string;
  failed(error: unknown): void;
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}
type Page = (request: IncomingMessage) => Awaitable<Answer>;

const MIN_TOKEN = 16;
/** A load balancer that asks more often learns nothing; seconds. */
const RETRY_AFTER_S = 1;

/** Throws a `TypeError` that names the option, the rule and, unless it is a secret, the value. */
export function createOperations(
  around: OperationsSurroundings,
  options: OperationsOptions = {},
): Operations {
  checkKeys(options, ['allow', 'metrics'], 'operations(options)');
  const { allow, metrics } = options;
  const pages = new Map<string, Page>([
    ['/health', () => json(200, { status: around.stats().degraded ? 'degraded' : 'ok' })],
    ['/ready', () => readiness(around)],
  ]);
  if (metrics && typeof metrics.metrics !== 'function') {
    throw new TypeError('operations(options): metrics must be prometheus() or a Registry of prom-client');
  }
  if (allow === undefined) {
    if (metrics)
      throw new TypeError('operations(options): metrics needs allow, which says who may read them');
  } else {
    const guarded = guardOf(allow, around.digest);
    pages.set(
      '/stats',
      guarded(() => json(200, around.stats())),
    );
    if (metrics) {
      pages.set(
        '/metrics',
        guarded(async () => {
          const body = await metrics.metrics();
          return { status: 200, body, headers: { 'Content-Type': metrics.contentType } };
        }),
      );
    }
  }
  return (request, response, next) => {
    const page = pages.get(requestedPath(request.url));
    if (page) serve(page, request, response, around.failed);
    else next?.();
    return page !== undefined;
  };
}

const json = (status: number, value: unknown, headers: Answer['headers'] = {}): Answer => ({
  status,
  body: `${JSON.stringify(value)}\n`,
  headers: { 'Content-Type': 'application/json; charset=utf-8', ...headers },
});
const DRAINING = json(503, { status: 'draining' }, { 'Retry-After': String(RETRY_AFTER_S) });
const DEGRADED = json(503, { status: 'degraded' }, { 'Retry-After': String(RETRY_AFTER_S) });
const NOT_ALLOWED = json(403, { status: 'forbidden' });
const NO_TOKEN = json(401, { status: 'unauthorized' }, { 'WWW-Authenticate': 'Bearer' });
const NO_METHOD = json(405, { status: 'method not allowed' }, { Allow: 'GET, HEAD' });
const FAILED = json(500, { status: 'failed' });

/** Whether to send newcomers here. */
function readiness(around: OperationsSurroundings): Answer {
  const { draining, degraded } = around.stats();
  if (draining) return DRAINING;
  around.look();
  return degraded ? DEGRADED : json(200, { status: 'ready' });
}

/** Shows a page only to whom it is meant for. */
function guardOf(
  allow: NonNullable<OperationsOptions['allow']>,
  digest: (text: string) => string,
): (page: () => Awaitable<Answer>) => Page {
  if (typeof allow === 'function') {
    return (page) => async (request) => ((await allow(request)) === true ? page() : NOT_ALLOWED);
  }
  if (typeof allow !== 'string' || allow.length < MIN_TOKEN) {
    throw new TypeError(
      `operations(options): allow must be a function or a token of ${MIN_TOKEN} characters`,
    );
  }
  // Their digests: those have one length, so not even that is told by how long it takes.
  const wanted = digest(allow);
  return (page) => (request) => {
    const [, token] = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
    return token !== undefined && safeEqual(digest(token), wanted) ? page() : NO_TOKEN;
  };
}

function serve(
  page: Page,
  request: IncomingMessage,
  response: ServerResponse,
  failed: (error: unknown) => void,
): void {
  const answer = ({ status, body, headers }: Answer): void => {
    // Somebody else has answered meanwhile, as a timeout of the application does.
    if (response.headersSent) return;
    // Node leaves the body out where the method is HEAD.
    response
      .writeHead(status, {
        'Cache-Control': 'no-store',
        'Content-Length': Buffer.byteLength(body),
        'X-Content-Type-Options': 'nosniff',
        ...headers,
      })
      .end(body);
  };
  const broken = (error: unknown): void => {
    failed(error);
    answer(FAILED);
  };
  if (request.method !== 'GET' && request.method !== 'HEAD') return answer(NO_METHOD);
  try {
    const said = page(request);
    if (isPromiseLike(said)) said.then(answer).then(undefined, broken);
    else answer(said);
  } catch (error) {
    broken(error);
  }
}
