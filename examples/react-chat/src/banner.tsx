import { client, me, useConnection, useOutbox } from './chat';

/** How the connection stands; what waits is kept, so nobody has to stop writing. */
export function Banner() {
  const state = useConnection();
  const { messages } = useOutbox();
  const waiting = messages > 0 ? `; ${messages} waiting` : '';
  return (
    <p role="status" className={`banner ${state.status}`}>
      {text() + waiting}
      {state.status === 'reconnecting' && (
        <button type="button" onClick={() => void client.connect().catch(() => undefined)}>
          Try now
        </button>
      )}
    </p>
  );

  function text(): string {
    switch (state.status) {
      case 'connected':
        return state.health === 'good' ? `You are ${me}` : 'Checking the connection …';
      case 'reconnecting':
        return state.waitingFor === 'online' ? 'You are offline' : `Attempt ${state.attempt}`;
      case 'needs-auth':
      case 'failed':
        return state.error.message;
      case 'closed':
        return 'Closed';
      default:
        return 'Connecting …';
    }
  }
}
