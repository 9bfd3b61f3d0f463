/** What a line asks for. */
export type Command =
  | { readonly do: 'send'; readonly name: string; readonly payload: unknown }
  | { readonly do: 'request'; readonly name: string; readonly payload: unknown }
  | { readonly do: 'join'; readonly name: string }
  | { readonly do: 'listen'; readonly name: string }
  | { readonly do: 'leave' | 'members' | 'state' | 'help' | 'quit' | 'nothing' };

export const LINES_HELP = `/join <room>               goes into a room; what is sent from then on is for it
/leave                     leaves it
/members                   who is in it
/send <event> [json]       sends an event; 'event json' without /send does the same
/request <method> [json]   asks the server, and prints its answer
/listen <event>            prints events of this name, too
/state                     where the connection is, and why
/quit                      ends`;

/** An event or a method, and its payload as JSON; without one the payload is undefined. Throws an `Error` that says what is wrong. */
export function parseNamed(text: string): { readonly name: string; readonly payload: unknown } {
  const [, name = '', json = ''] = /^(\S*)\s*(.*)$/s.exec(text.trim()) ?? [];
  if (name === '') throw new Error('a name is needed, and then JSON');
  if (json === '') return { name, payload: undefined };
  try {
    return { name, payload: JSON.parse(json) as unknown };
  } catch {
    throw new Error(`what follows '${name}' is no JSON: ${json}`);
  }
}

/** Throws an `Error` that says what is wrong with the line. */
export function parseLine(line: string): Command {
  const text = line.trim();
  if (text === '') return { do: 'nothing' };
  if (!text.startsWith('/')) return { do: 'send', ...parseNamed(text) };
  const [, word = '', rest = ''] = /^\/(\S*)\s*(.*)$/s.exec(text) ?? [];
  switch (word) {
    case 'send':
    case 'request':
      return { do: word, ...parseNamed(rest) };
    case 'join':
    case 'listen':
      if (rest === '') throw new Error(`/${word} needs a name`);
      return { do: word, name: rest };
    case 'leave':
    case 'members':
    case 'state':
    case 'help':
    case 'quit':
      if (rest !== '') throw new Error(`/${word} takes nothing behind it`);
      return { do: word };
    default:
      throw new Error(`no command /${word}; /help shows what there is`);
  }
}
