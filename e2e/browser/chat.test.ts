import { createClient } from '@holdfast/client';
import type { Browser, BrowserContext } from 'playwright';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { eventually, launchBrowser, Tab } from '../support/pages.js';
import { Playground } from '../support/processes.js';

let browser: Browser;
let playground: Playground;
let context: BrowserContext;
const tabs: Tab[] = [];

async function open(query: string): Promise<Tab> {
  const tab = await Tab.open(context, playground.url, query);
  tabs.push(tab);
  return tab;
}

beforeAll(async () => {
  [browser, playground] = await Promise.all([launchBrowser(), Playground.start()]);
});
afterAll(async () => {
  await browser?.close();
  await playground?.kill();
});
beforeEach(async () => {
  context = await browser.newContext();
});
afterEach(async () => {
  const noises = tabs.splice(0).flatMap((tab) => tab.noises);
  await context.close();
  expect(noises).toEqual([]);
});

test('two tabs talk both ways, and each sees its own lines acknowledged', async () => {
  const ada = await open('name=Ada&room=reef');
  const grace = await open('name=Grace&room=reef');
  await ada.isIn('reef');
  await eventually(() => grace.members()).toEqual(['Ada, 1 session', 'Grace (you), 1 session']);
  await ada.say('Is anybody there?');
  await ada.hasFate('Is anybody there?', 'acknowledged');
  await grace.hears('Is anybody there?');
  await grace.say('I am.');
  await grace.hasFate('I am.', 'acknowledged');
  await ada.hears('I am.');
  expect(await ada.page.locator('.message:not(.own) .who').allTextContents()).toEqual([
    expect.stringMatching(/^Grace \d/),
  ]);
  expect(await grace.heard()).toEqual(['Is anybody there?']);
});

test('the same name in two tabs is one person with two sessions', async () => {
  const first = await open('name=Ada&room=twins');
  const second = await open('name=Ada&room=twins');
  await eventually(() => first.members()).toEqual(['Ada (you), 2 sessions']);
  await second.page.close();
  await eventually(() => first.members()).toEqual(['Ada (you), 1 session']);
});

test('typing is shown to the others until the message comes', async () => {
  const ada = await open('name=Ada&room=typing');
  const grace = await open('name=Grace&room=typing');
  await eventually(() => ada.members()).toHaveLength(2);
  await eventually(() => grace.members()).toHaveLength(2);
  const box = ada.page.getByLabel('Message', { exact: true });
  const typing = grace.page.locator('#typing');
  await box.pressSequentially('Well');
  await eventually(() => typing.textContent()).toBe('Ada is typing…');
  await box.press('Enter');
  await grace.hears('Well');
  await eventually(() => typing.textContent()).toBe('');
});

test('who stops typing without a message says so, too', async () => {
  const ada = await open('name=Ada&room=pause');
  await ada.isIn('pause');
  const client = createClient({ url: playground.realtimeUrl, auth: 'Grace' });
  const room = client.room('pause');
  const told: boolean[] = [];
  room.on('typing', (payload) => told.push((payload as { isTyping: boolean }).isTyping));
  await client.connect();
  await room.join();
  const box = ada.page.getByLabel('Message', { exact: true });
  await box.fill('Well');
  await eventually(() => told).toEqual([true]);
  await box.fill('');
  await eventually(() => told).toEqual([true, false]);
  await client.close();
});

test('who leaves is gone for the others, and hears nothing more', async () => {
  const ada = await open('name=Ada&room=quay');
  const grace = await open('name=Grace&room=quay');
  await eventually(() => ada.members()).toHaveLength(2);
  await grace.isIn('quay');
  await grace.page.getByRole('button', { name: 'Leave this room' }).click();
  await eventually(() => ada.members()).toEqual(['Ada (you), 1 session']);
  await eventually(() => grace.page.locator('#room-title').textContent()).toBe('No room');
  await ada.say('Gone already?');
  await ada.hasFate('Gone already?', 'acknowledged');
  expect(await grace.heard()).toEqual([]);
});

test('one is in several rooms at a time, and sees what is unread', async () => {
  const ada = await open('name=Ada&room=first');
  const grace = await open('name=Grace&room=first');
  await eventually(() => ada.members()).toHaveLength(2);
  await grace.isIn('first');
  await ada.page.getByLabel('Room to join').fill('second');
  await ada.page.getByLabel('Room to join').press('Enter');
  await ada.isIn('second');
  await grace.say('Still there?');
  const first = ada.page.getByRole('button', { name: /^first/ });
  await eventually(() => first.textContent()).toBe('first1 unread');
  await first.click();
  await ada.hears('Still there?');
  await eventually(() => first.textContent()).toBe('first');
});

test('one person alone has a conversation with the bot', async () => {
  const ada = await open('name=Ada');
  await eventually(() => ada.members()).toEqual(['Ada (you), 1 session', 'Limpet bot, 1 session']);
  await eventually(async () => (await ada.heard()).join()).toMatch(/Ahoy Ada!/);
  await ada.say('hello');
  await eventually(() => ada.page.locator('#typing').textContent()).toBe('Limpet bot is typing…');
  await eventually(async () => (await ada.heard()).join()).toMatch(/Next: press Disconnect/);
  await ada.say('!time');
  await eventually(async () => (await ada.heard()).join()).toMatch(/this server has been up for \d+ s/);
});

test('a rejected message says so, with the reason, and stays', async () => {
  const ada = await open('name=Ada&room=notice-board');
  await ada.isIn('notice-board');
  await ada.say('May I?');
  await ada.hasFate('May I?', 'rejected');
  expect(await ada.own('May I?').locator('.fate').textContent()).toContain('this room is for reading only');
  expect(await ada.own('May I?').getByRole('button').count()).toBe(0);
});

test('a room that refuses says why', async () => {
  const ada = await open(`name=Ada&room=${encodeURIComponent('no such name')}`);
  await eventually(() => ada.page.locator('#room-state').textContent()).toMatch(/Refused: .*letters/);
  expect(await ada.page.getByLabel('Message', { exact: true }).isDisabled()).toBe(true);
});

test('a name is asked for once, and another one if the server refuses it', async () => {
  const first = await open('room=names');
  const name = first.page.getByLabel('Your name');
  await name.fill('Limpet  BOT');
  await name.press('Enter');
  await first.is('needs-auth');
  await eventually(() => first.page.locator('#name-error').textContent()).toMatch(/taken by the bot/);
  await name.fill('Mary');
  await name.press('Enter');
  await eventually(() => first.members()).toEqual(['Mary (you), 1 session']);
  const second = await open('room=names');
  await eventually(() => second.members()).toEqual(['Mary (you), 2 sessions']);
  expect(await second.page.locator('#name-dialog').isVisible()).toBe(false);
});

test('who takes another name is somebody else from then on, in the same rooms', async () => {
  const ada = await open('name=Ada&room=masks');
  const grace = await open('name=Grace&room=masks');
  await eventually(() => grace.members()).toEqual(['Ada, 1 session', 'Grace (you), 1 session']);
  await ada.page.getByRole('button', { name: /change name/ }).click();
  await ada.page.getByLabel('Your name').fill('Augusta');
  await ada.page.getByLabel('Your name').press('Enter');
  await eventually(() => grace.members()).toEqual(['Augusta, 1 session', 'Grace (you), 1 session']);
  await ada.isIn('masks');
  await ada.say('It is me');
  await grace.hears('It is me');
  expect(await grace.page.locator('.message:not(.own) .who strong').allTextContents()).toEqual(['Augusta']);
});

test('what is sent twice with one id is shown once', async () => {
  const ada = await open('name=Ada&room=twice');
  await ada.isIn('twice');
  const client = createClient({ url: playground.realtimeUrl, auth: 'Grace' });
  const room = client.room('twice');
  await client.connect();
  await room.join();
  await room.send('message', { text: 'once' }, { id: 'the-same' });
  await room.send('message', { text: 'once' }, { id: 'the-same' });
  await room.send('message', { text: 'after it' });
  await ada.hears('after it');
  expect(await ada.heard()).toEqual(['once', 'after it']);
  await client.close();
});

test('markup that somebody writes stays text', async () => {
  const ada = await open('name=Ada&room=markup');
  const grace = await open(`name=${encodeURIComponent('<b>Grace</b>')}&room=markup`);
  await eventually(() => ada.members()).toHaveLength(2);
  await grace.isIn('markup');
  const text = '<img src=x onerror="document.title=1"><script>alert(1)</script>';
  await grace.say(text);
  await ada.hears(text);
  expect(await ada.page.locator('.messages img, .messages script, .messages b, .people b').count()).toBe(0);
});
