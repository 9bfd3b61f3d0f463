import type { ContractSchemas } from '@holdfast/protocol';
import { CloseCode, FrameError, type Hello, PROTOCOL_VERSION, versionsFit } from '@holdfast/protocol';
import type { Refusal } from './token.js';

/** What a HELLO that names a session gives beside it. */
const BACK = ['k', 'e', 'x', 'y'] as const;

/** Why this server cannot talk to who says so; undefined: it can. Throws a `FrameError` if half of it is missing. */
export function mismatchOf(
  hello: Hello,
  versions: ContractSchemas['versions'] | undefined,
): (Refusal & { readonly version?: number | undefined }) | undefined {
  const closeCode = CloseCode.BAD_FRAME;
  if (hello.v !== PROTOCOL_VERSION) {
    const text = `this server speaks version ${PROTOCOL_VERSION} of the protocol, not ${hello.v}`;
    return { code: 'ERR_PROTOCOL_VERSION', text, closeCode };
  }
  if (!versionsFit(versions, hello.cv)) {
    const text = `this server has version ${versions?.[0]} of the contract, the client version ${hello.cv?.[0]}`;
    return { code: 'ERR_CONTRACT_VERSION', text, closeCode, version: versions?.[0] };
  }
  if (hello.s !== undefined && BACK.some((field) => hello[field] === undefined)) {
    throw new FrameError('who comes back to a session gives its key, its epoch and both positions');
  }
  return undefined;
}
