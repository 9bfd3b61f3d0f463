// The story as CommonJS.
const { createClient } = require('@holdfast/client');

import('./story.mjs')
  .then(({ story }) => story(createClient, process.argv.at(-1)))
  .then((result) => console.log(JSON.stringify(result)));
