import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useClient, useEvent, useSessionLost } from './chat';

/** A request is a query: the `signal` gives it up, at the server, too. Events say when what is cached has grown old. */
function useRooms() {
  const client = useClient();
  const queries = useQueryClient();
  const renew = () => void queries.invalidateQueries({ queryKey: ['rooms'] });
  useEvent('roomsChanged', renew);
  useSessionLost(renew); // events of the time between are gone, too
  return useQuery({
    queryKey: ['rooms'],
    queryFn: ({ signal }) => client.request('rooms', undefined, { signal }),
    // The connection has its own ideas of when to try again; what it rejects is meant.
    retry: false,
    networkMode: 'always',
  });
}

export function RoomList({ current, choose }: { current: string; choose: (name: string) => void }) {
  const { data, error } = useRooms();
  return (
    <nav aria-label="Rooms">
      {error && <p>{error.message}</p>}
      {data?.map(({ name, said }) => (
        <button
          key={name}
          type="button"
          aria-current={name === current ? 'page' : undefined}
          onClick={() => choose(name)}
        >
          {name} <small>{said}</small>
        </button>
      ))}
    </nav>
  );
}
