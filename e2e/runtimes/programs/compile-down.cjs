// A loader of webpack 4, as small as esbuild-loader is there.
module.exports = function compileDown(code) {
  return require(this.query.esbuild).transformSync(code, { target: 'es2017' }).code;
};
