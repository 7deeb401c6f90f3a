/** Several rooms on one page: what is unread, and which have a connection. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { join, joinAnother, lines, message, newPage, roomLink, speakAs, until } from './browser.mjs';
import { setStage } from './stage.mjs';

let server, browser;
setStage(stage => ({ server, browser } = stage));

test('unread messages of other rooms are counted, and shown as new', async () => {
  const ann = await newPage(browser);
  await join(ann, server, { name: 'ann', room: 'left' });
  await joinAnother(ann, 'right');
  assert.deepEqual(await ann.locator('#room-list .room-label').allTextContents(), ['left', 'right']);
  await speakAs(ann, 'bob', 'left', ['one', 'two']);
  await roomLink(ann, 'left').locator('.badge').filter({ hasText: '2 unread' }).waitFor();
  await until(ann, () => document.title === '(2) right · Switchboard');

  await roomLink(ann, 'left').click();
  await message(ann, 'two').waitFor();
  assert.equal(await ann.locator('.entry', { has: ann.locator('.divider') }).locator('.text').textContent(), 'one');
  await roomLink(ann, 'left').locator('.badge').waitFor({ state: 'hidden' });
  await until(ann, () => document.title === 'left · Switchboard');
  await ann.goBack();
  await ann.locator('#room-name').filter({ hasText: 'right' }).waitFor();

  await ann.keyboard.press('Alt+ArrowUp');
  await ann.locator('#room-name').filter({ hasText: 'left' }).waitFor();
  assert.equal(await ann.locator('.divider').count(), 0);
});

test('what was not read before the page was closed is unread afterwards', async () => {
  const ann = await newPage(browser);
  await join(ann, server, { name: 'ann', room: 'closed' });
  await joinAnother(ann, 'open');
  await speakAs(ann, 'bob', 'closed', ['before']);
  await roomLink(ann, 'closed').click();
  await message(ann, 'before').waitFor();
  await roomLink(ann, 'open').click();
  await ann.goto(`${server.url}/console.html`);
  await speakAs(ann, 'bob', 'closed', lines(60));
  await ann.goto(`${server.url}/?room=open`);
  await roomLink(ann, 'closed').locator('.badge').filter({ hasText: '60 unread' }).waitFor();
});

test('an eleventh room takes no other off the list: those visited last have a connection, and the others wait', async () => {
  const ann = await newPage(browser);
  const names = Array.from({ length: 13 }, (_, index) => `room ${String.fromCharCode(97 + index)}`);
  await join(ann, server, { name: 'ann', room: names[0] });
  for (const name of names.slice(1)) await joinAnother(ann, name);
  const waiting = () => ann.locator('#room-list .room-link[data-state=closed] .room-label').allTextContents();
  assert.deepEqual(await ann.locator('#room-list .room-label').allTextContents(), names);
  await until(ann, () => document.querySelectorAll('#room-list .room-link[data-state=open]').length === 10);
  assert.deepEqual(await waiting(), names.slice(0, 3));

  await speakAs(ann, 'bob', names[0], ['meanwhile']);
  await roomLink(ann, names[0]).click();
  await message(ann, 'meanwhile').waitFor();
  await until(ann, () => document.querySelectorAll('#room-list .room-link[data-state=closed]').length === 3);
  assert.deepEqual(await waiting(), names.slice(1, 4));

  await ann.reload();
  await message(ann, 'meanwhile').waitFor();
  assert.deepEqual(await ann.locator('#room-list .room-label').allTextContents(), names);
  await until(ann, () => document.querySelectorAll('#room-list .room-link[data-state=open]').length === 10);
  assert.deepEqual(await waiting(), names.slice(1, 4));

  await ann.getByRole('button', { name: 'Leave' }).click();
  await ann.locator('#room-name').filter({ hasText: names[1] }).waitFor();
  assert.deepEqual(await ann.locator('#room-list .room-label').allTextContents(), names.slice(1));
});

test('what was said in a room without a connection is new to who opens it', async () => {
  const ann = await newPage(browser);
  await ann.clock.install();
  await join(ann, server, { name: 'ann', room: 'sleeping' });
  await speakAs(ann, 'bob', 'sleeping', ['known']);
  await message(ann, 'known').waitFor();
  for (let index = 0; index < 10; index++) await joinAnother(ann, `other ${index}`);
  await ann.locator('#room-list .room-link[data-state=closed]', { hasText: 'sleeping' }).waitFor();
  await speakAs(ann, 'bob', 'sleeping', ['unknown', 'unknown, too']);
  await ann.clock.runFor(21_000);
  await roomLink(ann, 'sleeping').locator('.badge').filter({ hasText: '2 unread' }).waitFor();
  await roomLink(ann, 'sleeping').click();
  await message(ann, 'unknown, too').waitFor();
  assert.deepEqual(await ann.locator('#log .text').allTextContents(), ['known', 'unknown', 'unknown, too']);
  assert.equal(await ann.locator('.entry', { has: ann.locator('.divider') }).locator('.text').textContent(), 'unknown');
});
