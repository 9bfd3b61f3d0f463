/** Settings of npm's that say how to reach a registry; the rest would only confuse another package manager. */
const kept =
  /^npm_config_(registry|userconfig|globalconfig|proxy|https?_proxy|noproxy|ca|cafile|strict_ssl)$/;

/** `npm run` exports its own settings and the package's fields; what is started from here starts without them. */
export function cleanEnvironment(env) {
  for (const key of Object.keys(env)) {
    if (/^npm_(config|package|lifecycle)_/.test(key) && !kept.test(key)) delete env[key];
  }
}
