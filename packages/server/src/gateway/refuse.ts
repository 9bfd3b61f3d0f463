import type { Duplex } from 'node:stream';

const NAMES = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  503: 'Service Unavailable',
} as const;

/** Why an upgrade is refused. */
export interface HttpRefusal {
  readonly status: keyof typeof NAMES;
  /** For people; never a token. */
  readonly text: string;
  /** Only printable ASCII, and nothing of the request. */
  readonly headers?: readonly string[];
}

/** Answers an upgrade with an HTTP error, and hangs up. */
export function refuse(socket: Duplex, { status, text, headers = [] }: HttpRefusal): void {
  // Whoever was refused may reset the connection, which must not crash the process.
  socket.on('error', () => undefined);
  // What came in the request's headers must not make lines of its own in the answer.
  const body = `${text.replace(/[^\x20-\x7e]/g, '?')}\n`;
  const head = [
    `HTTP/1.1 ${status} ${NAMES[status]}`,
    'Connection: close',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...headers,
  ];
  // Not only our half of it: whoever was refused might never close the other.
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}
