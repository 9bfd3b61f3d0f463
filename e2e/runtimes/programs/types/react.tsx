// What an application with React would import.
import { createClient } from '@holdfast/client';
import { createHooks } from '@holdfast/react';

const client = createClient({ url: '/realtime' });
const { HoldfastProvider, useConnection, useEvent } = createHooks();
function Inner() {
  useEvent('message', (payload: unknown) => void payload);
  // @ts-expect-error: it has no such field.
  const { missing } = useConnection();
  return <p title={missing}>{useConnection().status}</p>;
}
export const App = () => (
  <HoldfastProvider client={client}>
    <Inner />
  </HoldfastProvider>
);
