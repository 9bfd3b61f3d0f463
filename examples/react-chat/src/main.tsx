import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { Banner } from './banner';
import { client, HoldfastProvider } from './chat';
import { useLines } from './lines';
import { Room } from './room';
import { RoomList } from './room-list';
import './style.css';

function App() {
  const [room, setRoom] = useState('lobby');
  const lines = useLines();
  return (
    <>
      <RoomList current={room} choose={setRoom} />
      <main>
        <Banner />
        <Room key={room} name={room} lines={lines.of(room)} show={(line) => lines.show(room, line)} />
      </main>
    </>
  );
}

const root = document.getElementById('app');
if (!root) throw new Error('the page has no element with the id "app"');
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={new QueryClient()}>
      <HoldfastProvider client={client}>
        <App />
      </HoldfastProvider>
    </QueryClientProvider>
  </StrictMode>,
);
