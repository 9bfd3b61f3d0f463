/** Before the path where a proxy asks: scheme and authority. */
const ABSOLUTE = /^[a-z][a-z\d+.-]*:\/\/[^/?]*/i;

/** The path that a request is for, from its `url`: in origin form or, as RFC 9112 (section 3.2.2) demands, in absolute form. */
export function requestedPath(url = ''): string {
  const rest = url.startsWith('/') ? url : url.replace(ABSOLUTE, '');
  const end = rest.indexOf('?');
  return (end < 0 ? rest : rest.slice(0, end)) || '/';
}
