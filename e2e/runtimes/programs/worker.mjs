// The story in a worker of Cloudflare's kind, told for a request.
import { createClient } from '@holdfast/client';
import { story } from './story.mjs';

export default {
  async fetch(request) {
    return Response.json(await story(createClient, new URL(request.url).searchParams.get('ground')));
  },
};
