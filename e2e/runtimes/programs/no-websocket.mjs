// Where there is no WebSocket: says what becomes of a client.
import { createClient } from '@holdfast/client';

const client = createClient({ url: 'ws://localhost:1/realtime' });
client.connect().catch(({ code, message }) => {
  console.log(JSON.stringify({ code, message, status: client.getState().status }));
});
