import { isRoomName, MAX_NAME_CHARS } from '../limits.js';

const KEY = 'holdfast-playground-name';

/** `?name=` counts for this tab alone, so that two tabs can be two people. */
export function knownName(): string | undefined {
  const name = new URLSearchParams(location.search).get('name') ?? read();
  return name?.trim().slice(0, MAX_NAME_CHARS) || undefined;
}

export function rememberName(name: string): void {
  if (new URLSearchParams(location.search).has('name')) setParameter('name', name);
  else write(name);
}

/** `?room=` as it stands, even if the server will refuse it: then the page says so. */
export function firstRoom(): string {
  return new URLSearchParams(location.search).get('room')?.trim().slice(0, 128) || 'lobby';
}

/** Keeps the address such that a reload, or somebody who gets the link, comes to the same room. */
export function rememberRoom(room: string): void {
  if (isRoomName(room)) setParameter('room', room);
}

const SEA = ['Limpid', 'Quiet', 'Salty', 'Drifting', 'Brave', 'Amber', 'Silver', 'Tidal'];
const FOLK = ['Otter', 'Urchin', 'Kelp', 'Tern', 'Wrasse', 'Cowrie', 'Seal', 'Nudibranch'];

/** A name to start from, so that Enter is all it takes. */
export function suggestName(): string {
  const pick = (from: readonly string[]) => from[Math.floor(Math.random() * from.length)];
  return `${pick(SEA)} ${pick(FOLK)}`;
}

function setParameter(name: string, value: string): void {
  const url = new URL(location.href);
  url.searchParams.set(name, value);
  history.replaceState(null, '', url);
}

// Storage can be forbidden altogether; then the name is asked for at each visit.
function read(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

function write(name: string): void {
  try {
    localStorage.setItem(KEY, name);
  } catch {
    // The visitor's choice.
  }
}
