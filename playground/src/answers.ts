/** What Limpet knows when it answers. */
export interface Occasion {
  readonly text: string;
  readonly from: string;
  /** Everybody in the room but Limpet. */
  readonly others: readonly { readonly userId: string; readonly sessions: number }[];
  /** How many messages of this visitor it has answered before. */
  readonly answered: number;
  readonly now: Date;
  /** Since when the server runs. */
  readonly startedAt: Date;
}

const HELP =
  'I know: !help, !time, !who, !echo and some words. Otherwise I answer when you are alone with me, or when you say "limpet".';

/** One thing after the other that is worth trying. */
const HINTS = [
  'Next: press Disconnect, write a line or two, then Connect. They arrive by themselves, once each.',
  'Next: stop the server with Ctrl-C while this page is open, write something, and start it again.',
  'Next: open this page in a second tab with ?name=Somebody in the address, and talk to yourself.',
  'Next: run `npm run bot -- --room lobby` in a terminal. It is the same client, in Node.',
  'Next: join the room notice-board and write there, to see a message rejected.',
];

/** What Limpet says, or nothing. It speaks when spoken to, or when somebody would otherwise be alone. */
export function answerTo(occasion: Occasion): string | undefined {
  const { text, from } = occasion;
  // Whatever calls itself a bot might answer, and be answered, for ever.
  if (/bot$/i.test(from)) return undefined;
  const [, command, rest = ''] = /^!(\w+)\s*(.*)$/s.exec(text.trim()) ?? [];
  if (command !== undefined) return obey(command.toLowerCase(), rest, occasion);
  const sessions = occasion.others.reduce((sum, other) => sum + other.sessions, 0);
  const addressed = /\blimpet\b/i.test(text);
  if (!addressed && sessions > 1) return undefined;
  return converse(occasion);
}

function obey(command: string, rest: string, { others, now, startedAt }: Occasion): string | undefined {
  switch (command) {
    case 'help':
      return HELP;
    case 'time':
      return `It is ${now.toLocaleTimeString('en-GB')} here; this server has been up for ${duration(now.getTime() - startedAt.getTime())}.`;
    case 'who':
      return `Here are, beside me: ${others.map(({ userId }) => userId).join(', ') || 'nobody'}.`;
    case 'echo':
      return rest.slice(0, 200) || 'Echo what?';
    default:
      return `I don't know !${command.slice(0, 20)}. Try !help.`;
  }
}

function converse({ text, answered }: Occasion): string {
  const opening = /\b(hi|hello|hey|moin|ahoy)\b/i.test(text)
    ? 'Ahoy.'
    : text.includes('?')
      ? 'A limpet has no opinion on that.'
      : `I heard "${shorten(text)}", and it came once.`;
  return `${opening} ${HINTS[answered % HINTS.length]}`;
}

export const greeting = (name: string): string =>
  `Ahoy ${name}! Your message goes to the server, is acknowledged, and comes to everybody here. Say something, or try !help.`;

const shorten = (text: string): string => {
  const characters = [...text.replace(/\s+/g, ' ').trim()];
  return characters.length > 60 ? `${characters.slice(0, 59).join('')}…` : characters.join('');
};

function duration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}
