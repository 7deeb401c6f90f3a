/** Moderators and those they moderate, against a daemon that asks for tokens. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { draft, exactly, join, joinAnother, lines, message, newPage, person, say, screenshot, speakAs, until } from './browser.mjs';
import { LOOKS, assertAccessible, assertFits } from './looks.mjs';
import { setStage } from './stage.mjs';
import { AUTH, MODERATOR, call, signIn, token } from './tokens.mjs';

let server, browser;
setStage(stage => ({ server, browser } = stage), () => ({ auth: AUTH, log: { level: 'warning' } }));

async function enter(name, room, claims = {}, options = {}) {
  const page = await newPage(browser, options);
  await signIn(page, server, name, claims);
  await join(page, server, { name, room });
  return page;
}

/** The button at the message with that text. */
const moreAt = (page, text) => page.locator('#log .message').filter({ has: page.locator('.text', { hasText: exactly(text) }) }).locator('.more');
const menu = page => page.getByRole('menu');
const choose = async (page, item) => { await menu(page).getByRole('menuitem', { name: item, exact: true }).click(); await menu(page).waitFor({ state: 'hidden' }); };
const notice = (page, text) => page.locator('#log .notice').filter({ hasText: text });
const done = page => page.locator('#done');

async function openAtPerson(page, name) {
  const item = page.locator('#people-list .person').filter({ has: page.locator('.person-name', { hasText: exactly(name) }) });
  await item.hover();
  await item.getByRole('button', { name: `Moderate ${name}` }).click();
  await menu(page).waitFor();
}

async function openAtMessage(page, text) {
  await message(page, text).hover();
  await moreAt(page, text).click();
  await menu(page).waitFor();
}

test('only who has the right gets menus, and none for oneself', async () => {
  const [ann, bob] = [await enter('ann', 'rights', MODERATOR), await enter('bob', 'rights')];
  await say(bob, 'by bob');
  await say(ann, 'by ann');
  for (const page of [ann, bob]) await message(page, 'by ann').waitFor();
  await person(ann, 'bob').waitFor();
  assert.equal(await moreAt(ann, 'by bob').count(), 1);
  assert.equal(await moreAt(ann, 'by ann').count(), 0);
  assert.equal(await ann.locator('.person .more').count(), 1);
  assert.equal(await bob.locator('.more').count(), 0);
  assert.deepEqual([...ann.complaints, ...bob.complaints], []);
});

test('a deleted message is gone for everybody, also for who comes later or reloads', async () => {
  const [ann, bob] = [await enter('ann', 'delete', MODERATOR), await enter('bob', 'delete')];
  for (const text of ['fine', 'rude', 'fine too']) await say(bob, text);
  await message(ann, 'fine too').waitFor();
  await openAtMessage(ann, 'rude');
  await choose(ann, 'Delete message…');
  await ann.getByRole('dialog', { name: 'Delete this message?' }).getByText('rude').waitFor();
  await ann.getByRole('button', { name: 'Cancel' }).click();
  assert.equal(await message(bob, 'rude').count(), 1);

  await openAtMessage(ann, 'rude');
  await choose(ann, 'Delete message…');
  await ann.getByRole('button', { name: 'Delete', exact: true }).click();
  await done(ann).filter({ hasText: 'The message is deleted.' }).waitFor();
  for (const page of [ann, bob]) {
    await message(page, 'This message was deleted').waitFor();
    assert.deepEqual(await page.locator('#log .text').allTextContents(), ['fine', 'This message was deleted', 'fine too']);
  }
  await bob.reload();
  await message(bob, 'fine too').waitFor();
  const late = await enter('late', 'delete');
  await message(late, 'fine too').waitFor();
  for (const page of [bob, late]) {
    assert.deepEqual(await page.locator('#log .text').allTextContents(), ['fine', 'fine too']);
    await notice(page, 'A message was deleted').waitFor();
  }
});

test('the same in pages of history that come when one scrolls up', async () => {
  const ann = await enter('ann', 'old', MODERATOR);
  await speakAs(ann, 'bob', 'old', lines(90), token('bob'));
  await call(server, 'DELETE', '/api/rooms/old/messages/5', 'ann', MODERATOR);
  await call(server, 'POST', '/api/rooms/old/mutes', 'ann', MODERATOR, { user: 'cy', seconds: 600 });
  await call(server, 'POST', '/api/rooms/old/bans', 'ann', MODERATOR, { address: '192.0.2.7', seconds: 60 });
  await speakAs(ann, 'bob', 'old', lines(60, 'later'), token('bob'));
  const bob = await enter('bob', 'old');
  await message(bob, 'later 59').waitFor();
  await bob.locator('#scroller').focus();
  for (let turn = 0; turn < 40 && await bob.getByText('The beginning of old').count() === 0; turn++) {
    await bob.locator('#scroller').evaluate(it => { it.scrollTop = 0; });
    await bob.waitForTimeout(50);
  }
  await bob.getByText('The beginning of old').waitFor();
  assert.deepEqual(await bob.locator('#log .text').allTextContents(), [...lines(90).filter((_, index) => index !== 4), ...lines(60, 'later')]);
  await notice(bob, 'cy was muted by ann for 10 minutes').waitFor();
  await notice(bob, 'ann banned an address for 1 minute').waitFor();
  assert.equal(await notice(bob, 'A message was deleted').count(), 1);
  assert.equal(await bob.locator('#log .notice').count(), 3);
});

test('who is muted sees it, keeps the draft, and speaks again when it is over', async () => {
  const [ann, cy] = [await enter('ann', 'mute', MODERATOR), await enter('cy', 'mute')];
  await say(cy, 'noise');
  await message(ann, 'noise').waitFor();
  await draft(cy).fill('half a thought');
  await openAtPerson(ann, 'cy');
  await choose(ann, 'Mute for 10 minutes');
  await done(ann).filter({ hasText: 'cy is muted for 10 minutes.' }).waitFor();
  await notice(ann, 'cy was muted by ann for 10 minutes').waitFor();
  await notice(cy, 'You were muted by ann for 10 minutes').waitFor();
  await assertBarred(cy, /^You are muted until \d?\d:\d\d\. Until then you can read/);
  await cy.keyboard.press('Enter');
  await cy.reload();
  await cy.locator('#state[data-state=open]').waitFor();
  await assertBarred(cy, /^You are muted until/);
  assert.equal(await draft(cy).inputValue(), 'half a thought');

  await openAtMessage(ann, 'noise');
  await choose(ann, 'Unmute');
  await notice(cy, 'You were unmuted by ann').waitFor();
  await until(cy, () => document.getElementById('barred').textContent === '');
  await draft(cy).press('Enter');
  await message(ann, 'half a thought').waitFor();
  await call(server, 'POST', '/api/rooms/mute/mutes', 'ann', MODERATOR, { user: 'cy', seconds: 1 });
  await assertBarred(cy, /muted/);
  await until(cy, () => document.getElementById('barred').textContent === '');
});

async function assertBarred(page, why) {
  await page.locator('#barred').filter({ hasText: why }).waitFor({ state: 'attached' });
  assert.equal(await draft(page).isEditable(), false);
  assert.equal(await page.getByRole('button', { name: 'Send' }).isDisabled(), true);
}

test('who is kicked is told, and may come back', async () => {
  const [ann, kit] = [await enter('ann', 'kick', MODERATOR), await enter('kit', 'kick')];
  await joinAnother(kit, 'elsewhere');
  await kit.goBack();
  await openAtPerson(ann, 'kit');
  await choose(ann, 'Kick');
  await kit.locator('#outage-text').filter({ hasText: 'You were kicked from kick' }).waitFor();
  await assertBarred(kit, /^$/);
  assert.equal(await kit.locator('#people-count').textContent(), '0');
  assert.deepEqual(await kit.locator('.room-link.out .room-label').allTextContents(), ['kick']);
  await person(ann, 'kit').waitFor({ state: 'detached' });
  await kit.keyboard.press('Alt+ArrowDown');
  await kit.locator('#state[data-state=open]').waitFor();
  assert.equal(await kit.locator('#outage').isVisible(), false);
  assert.equal(await kit.locator('#barred').textContent(), '');
  await kit.keyboard.press('Alt+ArrowUp');
  await kit.locator('#outage-text').filter({ hasText: 'You were kicked' }).waitFor();
  await kit.getByRole('button', { name: 'Join again' }).click();
  await kit.locator('#state[data-state=open]').waitFor();
  await say(kit, 'sorry');
  await message(ann, 'sorry').waitFor();
});

test('who is banned is told, stays out, and is not tried for ever', async () => {
  const [ann, eve] = [await enter('ann', 'ban', MODERATOR), await enter('eve', 'ban')];
  await say(eve, 'spam');
  await message(ann, 'spam').waitFor();
  await openAtMessage(ann, 'spam');
  await choose(ann, 'Ban for 1 hour');
  await notice(ann, 'eve was banned by ann for 1 hour').waitFor();
  await eve.locator('#outage-text').filter({ hasText: 'You were banned from ban' }).waitFor();
  await eve.getByRole('button', { name: 'Join again' }).click();
  await eve.locator('#outage-text').filter({ hasText: 'You may not enter ban, or not yet again.' }).waitFor();
  assert.equal(await eve.locator('#state').getAttribute('data-state'), 'refused');
  await eve.reload();
  await eve.getByRole('alert').filter({ hasText: 'You may not enter the room “ban”.' }).waitFor();

  const item = notice(ann, 'eve was banned');
  await item.hover();
  await item.getByRole('button', { name: 'Moderate eve' }).click();
  await choose(ann, 'Unban');
  await notice(ann, 'eve was unbanned by ann').waitFor();
  await eve.getByRole('button', { name: 'Join', exact: true }).click();
  await eve.locator('#state[data-state=open]').waitFor();
});

test('what the server will not do is said where one looks', async () => {
  const [ann, bob] = [await enter('ann', 'errors', MODERATOR), await enter('bob', 'errors')];
  await say(bob, 'twice');
  await message(ann, 'twice').waitFor();
  await openAtMessage(ann, 'twice');
  await choose(ann, 'Delete message…');
  await call(server, 'DELETE', '/api/rooms/errors/messages/1', 'ann', MODERATOR);
  await ann.getByRole('button', { name: 'Delete', exact: true }).click();
  await ann.getByRole('alert').filter({ hasText: 'That message is not there any more.' }).waitFor();
});

test('what can’t reach the server is said as well', async () => {
  const ann = await enter('ann', 'lost', MODERATOR);
  await speakAs(ann, 'bob', 'lost', ['here'], token('bob'));
  await openAtMessage(ann, 'here');
  await server.stop();
  try {
    await choose(ann, 'Kick');
    await ann.getByRole('alert').filter({ hasText: /That was not done: (there is no connection|the connection was lost)/ }).waitFor();
  } finally {
    await server.start();
  }
});

test('the menus can be reached and used from the keyboard, and the focus comes back', async () => {
  const ann = await enter('ann', 'keys', MODERATOR);
  await speakAs(ann, 'bob', 'keys', ['one', 'two', 'three'], token('bob'));
  await say(ann, 'mine');
  await message(ann, 'mine').waitFor();
  await draft(ann).focus();
  await ann.keyboard.press('Shift+Tab');
  const focused = () => ann.evaluate(() => document.activeElement.closest('.entry')?.querySelector('.text').textContent);
  assert.equal(await focused(), 'three', 'the newest that one may moderate');
  await ann.keyboard.press('ArrowUp');
  await ann.keyboard.press('ArrowUp');
  await ann.keyboard.press('ArrowUp');
  await ann.keyboard.press('ArrowDown');
  assert.equal(await focused(), 'two');

  await ann.keyboard.press('Enter');
  const item = () => ann.evaluate(() => document.activeElement.textContent);
  assert.equal(await ann.locator('.more[aria-expanded=true]').count(), 1);
  const walked = [await item()];
  for (const key of ['ArrowDown', 'ArrowRight', 'ArrowDown', 'ArrowDown', 'ArrowLeft', 'ArrowLeft', 'ArrowDown', 'ArrowUp', 'Home', 'End']) {
    await ann.keyboard.press(key);
    walked.push(await item());
  }
  assert.deepEqual(walked, ['Delete message…', 'Mute for 10 minutes', 'Mute for 1 hour', 'Kick', 'Ban for 10 minutes', 'Ban for 1 day', 'Ban for 1 hour',
    'Delete message…', 'Ban for 10 minutes', 'Delete message…', 'Ban for 1 day']);
  await ann.keyboard.press('Escape');
  await menu(ann).waitFor({ state: 'hidden' });
  assert.equal(await focused(), 'two');
  assert.equal(await ann.locator('.more[aria-expanded=true]').count(), 0);

  await ann.keyboard.press('Enter');
  await menu(ann).waitFor();
  await ann.keyboard.press('Enter');
  await ann.getByRole('dialog', { name: 'Delete this message?' }).waitFor();
  await ann.keyboard.press('Escape');
  assert.equal(await focused(), 'two');
  await ann.keyboard.press('Enter');
  await menu(ann).waitFor();
  await ann.keyboard.press('Enter');
  await ann.getByRole('dialog', { name: 'Delete this message?' }).waitFor();
  await ann.keyboard.press('Tab');
  await ann.keyboard.press('Enter');
  await message(ann, 'This message was deleted').waitFor();
  assert.equal(await focused(), 'This message was deleted');
  await ann.keyboard.press('Shift+Tab');
  assert.equal(await ann.evaluate(() => document.activeElement.id), 'scroller', 'one stop for all of them');
});

test('a second press on the button closes the menu', async () => {
  const ann = await enter('ann', 'presses', MODERATOR);
  await speakAs(ann, 'bob', 'presses', ['here'], token('bob'));
  await openAtMessage(ann, 'here');
  await moreAt(ann, 'here').click();
  await menu(ann).waitFor({ state: 'hidden' });
  await openAtMessage(ann, 'here');
});

test('who may only read is told so', async () => {
  const vic = await enter('vic', 'gallery', { rights: ['read'] });
  await assertBarred(vic, /^You may read in this room, but not write\.$/);
  await draft(vic).press('Enter');
  assert.equal(await vic.locator('.pending').count(), 0);
  assert.equal(await draft(vic).getAttribute('aria-describedby').then(ids => ids.split(' ').includes('barred')), true);
});

for (const [name, options] of Object.entries(LOOKS)) {
  test(`what moderators and the moderated see, ${name}: fits, and shuts nobody out`, async () => {
    const room = `Build ${name}`;
    const [ann, cy] = [await enter('Ann', room, MODERATOR, options), await enter('Cy', room, {}, options)];
    await speakAs(ann, 'Bob', room, ['Morning! Is the new build up?', 'I only see yesterday’s.'], token('Bob'));
    await say(ann, 'Going up now, two minutes. See https://example.org/releases/2026-11.');
    await say(cy, 'BUY CHEAP WATCHES at https://watches.example');
    await message(ann, 'BUY CHEAP WATCHES at https://watches.example').waitFor();
    await openAtMessage(ann, 'BUY CHEAP WATCHES at https://watches.example');
    await screenshot(ann, `menu-${name}`);
    await assertAccessible(ann);
    const box = await ann.locator('#moderator-menu').boundingBox();
    assert.ok(box.x >= 0 && box.y >= 0 && box.x + box.width <= options.viewport.width && box.y + box.height <= options.viewport.height, JSON.stringify(box));
    await choose(ann, 'Delete message…');
    await screenshot(ann, `delete-${name}`);
    await assertAccessible(ann);
    await ann.getByRole('button', { name: 'Delete', exact: true }).click();
    await done(ann).filter({ hasText: 'The message is deleted.' }).waitFor();
    if (name === 'phone') await ann.getByRole('button', { name: 'people here' }).click();
    await openAtPerson(ann, 'Cy');
    await screenshot(ann, `menu-person-${name}`);
    await assertAccessible(ann);
    await choose(ann, 'Mute for 10 minutes');
    await done(ann).filter({ hasText: 'Cy is muted for 10 minutes.' }).waitFor();
    await screenshot(ann, `moderated-${name}`);
    await assertBarred(cy, /muted/);
    await screenshot(cy, `muted-${name}`);
    await assertAccessible(cy);
    await call(server, 'POST', `/api/rooms/${encodeURIComponent(room)}/bans`, 'Ann', MODERATOR, { user: 'Cy', seconds: 600 });
    await cy.locator('#outage-text').filter({ hasText: 'You were banned' }).waitFor();
    await screenshot(cy, `banned-${name}`);
    await assertAccessible(cy);
    for (const page of [ann, cy]) await assertFits(page, 320);
    assert.deepEqual(ann.complaints, []);
  });
}
