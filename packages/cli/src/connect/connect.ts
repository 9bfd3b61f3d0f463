import { createInterface } from 'node:readline';
import type { HoldfastClient } from '@holdfast/client';
import { makeClient, within } from '../dial.js';
import type { Output } from '../output.js';
import { parseLine } from './commands.js';
import type { ConnectSettings } from './connect-options.js';
import { Conversation } from './conversation.js';

/** What nobody has to name to hear it at a terminal. */
const USUAL_EVENTS = ['echo', 'message'];

/** Talks until everything is done, the input ends or somebody presses Ctrl-C; the exit code. */
export async function connect(settings: ConnectSettings, output: Output): Promise<number> {
  const { url, token, send, request, listen, room } = settings;
  const timeoutMs = settings['timeout-ms'];
  const warn = (text: string): void => output.note(`! ${text}`, { type: 'warning', text });
  const client = makeClient({ url, token, warn });
  const conversation = new Conversation(client, output, timeoutMs);
  const isTalk = send.length + request.length + listen.length === 0;
  const heard = new Promise<void>((resolve) => {
    for (const event of isTalk ? USUAL_EVENTS : listen) conversation.listen(event, resolve);
  });
  const interrupted = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => resolve());
  });

  // Nothing leads out of these two by itself.
  const over = new Promise<void>((resolve) => {
    client.onState((state) => {
      if (state.status !== 'needs-auth' && state.status !== 'failed') return;
      conversation.failed(state.error, 'connection');
      resolve();
    });
  });

  const work = async (): Promise<void> => {
    if (!(await connected(client, conversation))) return;
    if (room !== undefined) await conversation.obey({ do: 'join', name: room });
    for (const { name, payload } of send) await conversation.obey({ do: 'send', name, payload });
    for (const { name, payload } of request) await conversation.obey({ do: 'request', name, payload });
    if (isTalk) await talk(conversation, output);
    else if (settings.once)
      await within(timeoutMs, heard).catch((error) => conversation.failed(error, '--once'));
    else if (listen.length > 0) await new Promise(() => undefined);
  };
  await Promise.race([work(), interrupted, over]);
  await client.close({ flushMs: Math.min(timeoutMs, 1_000) });
  // Standard input may still be open, and would keep us.
  process.stdin.destroy();
  return conversation.failures > 0 ? 1 : 0;
}

async function connected(client: HoldfastClient, conversation: Conversation): Promise<boolean> {
  try {
    await within(conversation.timeoutMs, client.connect());
    return true;
  } catch (error) {
    const state = client.getState();
    const isTold = state.status === 'needs-auth' || state.status === 'failed';
    // Why no attempt has led anywhere says more than that time is up.
    if (!isTold) conversation.failed('lastError' in state ? state.lastError : error, 'connect');
    return false;
  }
}

/** Lines, one after the other, until the input ends or one says so. */
async function talk(conversation: Conversation, output: Output): Promise<void> {
  const isTty = process.stdin.isTTY === true;
  const lines = createInterface({
    input: process.stdin,
    output: process.stderr,
    terminal: isTty,
    prompt: '> ',
  });
  // Ctrl-C at a prompt is the end of the input.
  lines.on('SIGINT', () => lines.close());
  if (isTty) {
    output.setPrompt({ hide: () => process.stderr.write('\r\x1b[K'), show: () => lines.prompt(true) });
    lines.prompt();
  }
  for await (const line of lines) {
    try {
      const command = parseLine(line);
      if (command.do === 'quit') break;
      await conversation.obey(command);
    } catch (error) {
      conversation.failed(error, 'line');
    }
    if (isTty) lines.prompt();
  }
  output.setPrompt(undefined);
  lines.close();
  // The prompt that nobody will answer.
  if (isTty) process.stderr.write('\r\x1b[K');
}
