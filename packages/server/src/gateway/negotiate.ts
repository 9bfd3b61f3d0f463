import { type Codec, json, subprotocol, Type, type WireData } from '@holdfast/protocol';
import { isBearer } from './bearer.js';

/** What a client and this server can speak with each other. */
export type Negotiated =
  | { readonly outcome: 'agreed'; readonly protocol: string; readonly codec: Codec }
  /** A Holdfast of another version: it is told so in a frame, since browsers hide a refused upgrade. */
  | { readonly outcome: 'other-version'; readonly protocol: string; readonly farewell: WireData }
  | { readonly outcome: 'none'; readonly why: string };

/** Chooses from the subprotocols that the client offers, in its order of preference. */
export function negotiate(offers: readonly string[], codecs: readonly Codec[]): Negotiated {
  // Never chosen, and never shown to anybody.
  const offered = offers.filter((name) => !isBearer(name));
  for (const protocol of offered) {
    const codec = codecs.find((candidate) => subprotocol(candidate) === protocol);
    if (codec) return { outcome: 'agreed', protocol, codec };
  }
  const spoken = codecs.map(subprotocol).join(', ');
  const why = `this server speaks ${spoken}, not ${offered.join(', ') || 'without a subprotocol'}`.slice(
    0,
    128,
  );
  const protocol = offered.find((name) => name.startsWith('holdfast.'));
  if (protocol === undefined) return { outcome: 'none', why };
  const codec = json();
  const farewell = codec.frame(0, 0, [codec.encode([Type.BYE, 'ERR_PROTOCOL_VERSION', why])]);
  return { outcome: 'other-version', protocol, farewell };
}
