/**
 * Whether a browser's page may connect. Without this check any page could open a connection in its visitor's name
 * (CWE-1385). Who is no browser sends no origin and is let in: it could claim any.
 */
export function originAllowed(
  { origin, host }: { readonly origin?: string | undefined; readonly host?: string | undefined },
  allowed: ReadonlySet<string> | undefined,
): boolean {
  if (origin === undefined) return true;
  if (allowed) return allowed.has(origin);
  // The server's own pages. The scheme is not compared: a proxy in front may speak TLS for us.
  return host !== undefined && URL.canParse(origin) && new URL(origin).host === host;
}
