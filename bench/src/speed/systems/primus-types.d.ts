/** What is used of it; it comes without types. */
declare module 'primus' {
  import type { Server } from 'node:http';

  interface Options {
    readonly transformer: 'websockets';
    readonly parser: 'JSON';
  }

  interface Reconnect {
    readonly min: number;
    readonly max: number;
    readonly retries: number;
    readonly 'reconnect timeout': number;
  }

  interface Spark {
    write(data: unknown): boolean;
    on(event: 'data' | 'end', listener: (data: unknown) => void): this;
  }

  interface Socket {
    write(data: unknown): boolean;
    on(event: 'data' | 'open', listener: (data: unknown) => void): this;
  }

  class Primus {
    constructor(server: Server, options: Options);
    on(event: 'connection', listener: (spark: Spark) => void): this;
    /** Source of the client for a page. */
    library(): string;
    static createSocket(options: Options): new (url: string, options: { reconnect: Reconnect }) => Socket;
  }

  namespace Primus {
    export type { Spark };
  }
  export = Primus;
}
