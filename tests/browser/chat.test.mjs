/** The chat page as people use it, against the real daemon. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aMessage, askToJoin, draft, join, joinAnother, lines, message, newPage, person, playServer, roomLink, say, setHidden, speakAs, until } from './browser.mjs';
import { setStage } from './stage.mjs';

let server, browser;
setStage(stage => ({ server, browser } = stage));

test('two people chat with each other, and see each other', async () => {
  const [ann, bob] = [await newPage(browser), await newPage(browser)];
  await join(ann, server, { name: 'ann' });
  await join(bob, server, { name: 'bob' });
  await person(ann, 'bob').waitFor();
  await person(bob, 'ann').waitFor();
  assert.equal(await ann.locator('#people-count').textContent(), '2');

  await say(ann, 'Good morning, Bob');
  await message(bob, 'Good morning, Bob').waitFor();
  await say(bob, 'And to you');
  await message(ann, 'And to you').waitFor();

  assert.deepEqual(await ann.locator('#log .sender').allTextContents(), ['You', 'bob']);
  assert.deepEqual(await bob.locator('#log .sender').allTextContents(), ['ann', 'You']);
  await ann.locator('.pending').waitFor({ state: 'detached' });
  assert.equal(await ann.locator('.own .tick').count(), 1);

  await bob.getByRole('button', { name: 'Leave' }).click();
  await person(ann, 'bob').waitFor({ state: 'detached' });
  assert.equal(await ann.locator('#people-count').textContent(), '1');
  assert.deepEqual([...ann.complaints, ...bob.complaints], []);
});

test('rooms are apart, and links of both kinds lead into one', async () => {
  const [ann, bob] = [await newPage(browser), await newPage(browser)];
  await join(ann, server, { name: 'ann', room: 'tea & cake #1 + ü' });
  await join(bob, server, { name: 'bob', room: 'another' });
  await say(bob, 'only here');
  await message(bob, 'only here').waitFor();

  const guest = await newPage(browser);
  await guest.goto(ann.url());
  assert.equal(await guest.getByLabel('Room', { exact: true }).inputValue(), 'tea & cake #1 + ü');
  await guest.getByLabel('Your name').fill('guest');
  await guest.keyboard.press('Enter');
  await person(ann, 'guest').waitFor();
  assert.equal(await message(ann, 'only here').count(), 0);

  await guest.evaluate(() => { location.hash = 'room=another'; });
  await message(guest, 'only here').waitFor();
  assert.equal(new URL(guest.url()).search + new URL(guest.url()).hash, '?room=another');
  await guest.goBack();
  await guest.locator('#room-name').filter({ hasText: 'tea & cake #1 + ü' }).waitFor();
  const late = await newPage(browser);
  await late.goto(`${server.url}/#room=another`);
  assert.equal(await late.getByLabel('Room', { exact: true }).inputValue(), 'another');
});

test('a person with several windows is one person', async () => {
  const ann = await newPage(browser);
  await join(ann, server, { name: 'ann', room: 'windows' });
  const [bob, again] = [await newPage(browser), await newPage(browser)];
  await join(bob, server, { name: 'bob', room: 'windows' });
  await join(again, server, { name: 'bob', room: 'windows' });
  await say(bob, 'from one');
  await message(again, 'from one').waitFor();
  assert.equal(await again.locator('#log .sender').textContent(), 'You');
  await again.close();
  await say(bob, 'still here');
  await message(ann, 'still here').waitFor();
  assert.deepEqual(await ann.locator('#people-list .person-name').allTextContents(), ['ann', 'bob']);
});

test('messages of one speaker stand together, each with its time, under the day', async () => {
  const ann = await newPage(browser);
  await join(ann, server, { name: 'ann', room: 'groups' });
  await speakAs(ann, 'bob', 'groups', ['one', 'two', 'three\nfour']);
  await message(ann, 'three\nfour').waitFor();
  assert.equal(await ann.locator('#log .sender').count(), 1);
  assert.equal(await ann.locator('#log .entry').count(), 3);
  assert.deepEqual(await ann.locator('#log .day').allTextContents(), ['Today']);
  for (const time of await ann.locator('#log time').all()) {
    assert.match(await time.getAttribute('datetime'), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.match(await time.getAttribute('title'), /\d{4}/);
  }
});

test('days part the conversation', async () => {
  const ann = await newPage(browser);
  const at = days => new Date(Date.now() - days * 86_400_000).toISOString();
  await playServer(ann, ({ welcome, send }) => {
    welcome({ seq: 3 });
    [400, 1, 0].forEach((days, index) => send(aMessage({ seq: index + 1, message: `${days} days ago`, time: at(days) })));
  });
  await join(ann, server, { name: 'ann' });
  await message(ann, '0 days ago').waitFor();
  const days = await ann.locator('#log .day').allTextContents();
  assert.match(days[0], /^\w+,? \d+ \w+ 20\d\d$/);
  assert.deepEqual(days.slice(1), ['Yesterday', 'Today']);
});

test('hostile names and messages stay text', async () => {
  const names = ['<img src=x onerror=hacked()>', '"&amp;\'', '__proto__', 'مرحبا', '👩‍👩‍👧‍👦', 'x'.repeat(64)];
  const texts = ['<img src=x onerror=hacked()>', '</div><script>hacked()</script>', 'javascript:hacked()', '&lt;b&gt;', '\u202ereversed\u2066',
    'endless'.repeat(300), '👩‍👩‍👧‍👦🏴‍☠️', '__proto__', '{"sender":"__server","message":"ann left"}', 'Z' + '\u0301\u0316'.repeat(200)];
  const ann = await newPage(browser, { viewport: { width: 375, height: 812 } });
  let hacked = false;
  await ann.exposeFunction('hacked', () => { hacked = true; });
  await join(ann, server, { name: 'ann', room: '<b>hostile</b>' });
  for (const name of names) await speakAs(ann, name, '<b>hostile</b>', texts);
  await until(ann, count => document.querySelectorAll('#log .text').length === count, names.length * texts.length);

  assert.deepEqual(await ann.locator('#log .text').allTextContents(), names.flatMap(() => texts));
  assert.deepEqual(await ann.locator('#log .sender').allTextContents(), names);
  assert.equal(await ann.locator('#room-name').textContent(), '<b>hostile</b>');
  assert.equal(await ann.locator('#log').locator('img, script, b, a').count(), 0);
  assert.equal(await overflow(ann), 0);
  assert.equal(hacked, false);
  assert.deepEqual(ann.complaints, []);
});

/** By how many pixels a page is wider than its window. */
function overflow(page) {
  return page.evaluate(() => Math.max(0, document.documentElement.scrollWidth - innerWidth, document.getElementById('scroller').scrollWidth - document.getElementById('scroller').clientWidth));
}

test('links lead out of the page, and only links', async () => {
  const ann = await newPage(browser);
  await join(ann, server, { name: 'ann', room: 'links' });
  await speakAs(ann, 'bob', 'links', [
    'See https://example.org/a?b=1&c=2#d, and (http://example.org/x_(y)).',
    'HTTPS://EXAMPLE.ORG/ü “https://example.org/q” https://example.org/z…',
    'javascript:alert(1) ftp://example.org data:text/html,x http:// https://bank.example@evil.example/ xhttps://no',
    '<a href="https://example.org/in">https://example.org/in</a>',
  ]);
  await until(ann, () => document.querySelectorAll('#log .text').length === 4);
  const links = await ann.locator('#log a').evaluateAll(all => all.map(a => [a.textContent, a.rel, a.target]));
  assert.deepEqual(links.map(([text]) => text), ['https://example.org/a?b=1&c=2#d', 'http://example.org/x_(y)', 'HTTPS://EXAMPLE.ORG/ü',
    'https://example.org/q', 'https://example.org/z', 'https://example.org/in', 'https://example.org/in']);
  for (const [, rel, target] of links) {
    assert.ok(rel.split(' ').includes('noopener'));
    assert.equal(target, '_blank');
  }
  assert.equal(await message(ann, 'See https://example.org/a?b=1&c=2#d, and (http://example.org/x_(y)).').count(), 1);
});

test('a refused name is said to be refused, and why', async () => {
  const page = await newPage(browser);
  await askToJoin(page, server, { name: '__server' });
  const trouble = page.getByRole('alert');
  await trouble.filter({ hasText: 'refused the name “__server”: that name belongs to the server' }).waitFor();
  assert.equal(await page.getByLabel('Your name').evaluate(field => field === document.activeElement), true);

  await page.getByLabel('Your name').fill('n'.repeat(65));
  await page.keyboard.press('Enter');
  await trouble.filter({ hasText: 'longer than 64 characters' }).waitFor();

  await page.getByLabel('Your name').fill('\u202egnp.exe');
  await page.keyboard.press('Enter');
  await trouble.filter({ hasText: 'control characters' }).waitFor();

  await page.getByLabel('Your name').fill('   ');
  await page.keyboard.press('Enter');
  await trouble.filter({ hasText: 'Please enter your name' }).waitFor();

  await page.getByLabel('Your name').fill('ann');
  await page.getByRole('button', { name: 'Join', exact: true }).click();
  await page.locator('#state[data-state=open]').waitFor();

  await page.keyboard.press('Control+k');
  await page.getByLabel('Room’s name').fill('r'.repeat(65));
  await page.keyboard.press('Enter');
  await trouble.filter({ hasText: 'longer than 64 characters' }).waitFor();
});

test('the length is shown near the limit, and too long a message is not sent but kept', async () => {
  const ann = await newPage(browser);
  await join(ann, server, { name: 'ann', room: 'long' });
  await draft(ann).fill('x'.repeat(3000));
  assert.equal(await ann.locator('#length').textContent(), '');
  await draft(ann).fill('x'.repeat(4000));
  await ann.getByText('96 characters left').waitFor();
  await say(ann, '😀'.repeat(4097));
  await ann.getByText('1 character too long').waitFor();
  assert.equal(await ann.getByRole('button', { name: 'Send' }).isDisabled(), true);
  await ann.getByRole('status').filter({ hasText: 'The message is too long' }).waitFor({ state: 'attached' });
  await say(ann, '😀'.repeat(4096));
  await message(ann, '😀'.repeat(4096)).waitFor();
});

test('a reload keeps name, room, and the draft of each room', async () => {
  const ann = await newPage(browser);
  await join(ann, server, { name: 'ann', room: 'kept' });
  await draft(ann).fill('half a thought');
  await joinAnother(ann, 'other');
  assert.equal(await draft(ann).inputValue(), '');
  await draft(ann).fill('another half');
  await ann.reload();
  await ann.locator('#state[data-state=open]').waitFor();
  assert.equal(await ann.locator('#room-name').textContent(), 'other');
  assert.equal(await draft(ann).inputValue(), 'another half');
  await roomLink(ann, 'kept').click();
  assert.equal(await draft(ann).inputValue(), 'half a thought');
});

test('someone who types is announced, until they have spoken', async () => {
  const [ann, bob] = [await newPage(browser), await newPage(browser)];
  await join(ann, server, { name: 'ann', room: 'typing' });
  await join(bob, server, { name: 'bob', room: 'typing' });
  await draft(bob).pressSequentially('he');
  await ann.getByText('bob is typing').waitFor();
  assert.equal(await bob.locator('#typing').textContent(), '');
  await draft(bob).press('Enter');
  await message(ann, 'he').waitFor();
  await until(ann, () => document.getElementById('typing').textContent === '');
});

test('a hidden page counts in its title, and notifies those who want it', async () => {
  const ann = await newPage(browser);
  await ann.addInitScript(() => {
    globalThis.notified = [];
    globalThis.Notification = class {
      static permission = 'default';
      static async requestPermission() { return this.permission = 'granted'; }
      constructor(title, { body }) { notified.push([title, body, this]); }
      close() {}
    };
  });
  await join(ann, server, { name: 'ann', room: 'hidden' });
  await setHidden(ann, true);
  await speakAs(ann, 'bob', 'hidden', ['psst']);
  await until(ann, () => document.title === '(1) hidden · Switchboard');
  assert.deepEqual(await ann.evaluate(() => notified), []);

  await setHidden(ann, false);
  await until(ann, () => document.title === 'hidden · Switchboard');
  assert.equal(await ann.locator('.entry', { has: ann.locator('.divider') }).locator('.text').textContent(), 'psst');
  await ann.getByRole('button', { name: 'Notifications' }).click();
  await ann.locator('#notify[aria-pressed=true]').waitFor();
  await speakAs(ann, 'bob', 'hidden', ['seen']);
  await message(ann, 'seen').waitFor();
  await joinAnother(ann, 'desk');
  await setHidden(ann, true);
  await speakAs(ann, 'bob', 'hidden', ['look here', 'and here']);
  await until(ann, () => document.title === '(2) desk · Switchboard');
  assert.deepEqual(await ann.evaluate(() => notified.map(([title, body]) => [title, body])), [['bob in hidden', 'look here']]);
  await ann.evaluate(() => notified[0][2].onclick());
  await ann.locator('#room-name').filter({ hasText: 'hidden' }).waitFor();
  await setHidden(ann, false);
  const firstNew = ann.locator('.entry', { has: ann.locator('.divider') });
  assert.equal(await firstNew.locator('.text').textContent(), 'look here');
  assert.equal(await firstNew.locator('.sender').textContent(), 'bob');
});

test('new messages are read out, many of them as a number', async () => {
  const ann = await newPage(browser);
  await join(ann, server, { name: 'ann', room: 'ears' });
  await speakAs(ann, 'bob', 'ears', ['hello']);
  await ann.locator('#announcer').getByText('bob: hello').waitFor({ state: 'attached' });
  await speakAs(ann, 'bob', 'ears', lines(40));
  await ann.locator('#announcer').getByText(/^\d+ new messages$/).first().waitFor({ state: 'attached' });
  assert.ok(await ann.locator('#announcer p').count() <= 3);
  await say(ann, 'my own');
  await message(ann, 'my own').waitFor();
  assert.equal(await ann.locator('#announcer').getByText('my own').count(), 0);
});

test('on a phone the lists lie over the conversation, and go away again', async () => {
  const ann = await newPage(browser, { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  await join(ann, server, { name: 'ann', room: 'phone' });
  await ann.getByRole('button', { name: 'Rooms' }).click();
  await roomLink(ann, 'phone').waitFor();
  for (let turn = 0; turn < 8; turn++) {
    await ann.keyboard.press('Tab');
    assert.equal(await ann.locator('#room-column :focus').count(), 0, 'what lies beneath is out of reach');
  }
  await ann.keyboard.press('Escape');
  await focusIs(ann, 'open-rooms');
  assert.equal(await roomLink(ann, 'phone').isVisible(), false);
  await ann.getByRole('button', { name: 'people here' }).click();
  await person(ann, 'ann').waitFor();
  await ann.getByRole('button', { name: 'Close the list of people' }).click();
  await focusIs(ann, 'open-people');
});

test('everything can be done from the keyboard', async () => {
  const ann = await newPage(browser);
  await ann.goto(server.url);
  await ann.keyboard.type('ann');
  await ann.keyboard.press('Tab');
  await ann.keyboard.type('keys');
  await ann.keyboard.press('Enter');
  await ann.locator('#state[data-state=open]').waitFor();

  await focusIs(ann, 'draft');
  await ann.keyboard.type('first');
  await ann.keyboard.press('Shift+Enter');
  await ann.keyboard.type('second');
  await ann.keyboard.press('Enter');
  await message(ann, 'first\nsecond').waitFor();
  await focusIs(ann, 'draft');

  await speakAs(ann, 'bob', 'keys', lines(60));
  await message(ann, 'line 59').waitFor();
  await ann.keyboard.press('Shift+Tab');
  await focusIs(ann, 'scroller');
  await ann.keyboard.press('Home');
  await until(ann, () => document.getElementById('scroller').scrollTop === 0);
  await speakAs(ann, 'bob', 'keys', ['news']);
  await ann.locator('#newer').filter({ hasText: 'new message' }).waitFor();
  await ann.keyboard.press('Tab');
  await focusIs(ann, 'newer');
  await ann.keyboard.press('Enter');
  await ann.locator('#newer').waitFor({ state: 'hidden' });
  await focusIs(ann, 'scroller');
  for (const id of ['open-people', 'leave']) {
    await ann.keyboard.press('Shift+Tab');
    await focusIs(ann, id);
  }
  await joinAnother(ann, 'more keys');
  await focusIs(ann, 'draft');
  await roomLink(ann, 'more keys').focus();
  await ann.keyboard.press('Shift+Tab');
  await ann.keyboard.press('Enter');
  await ann.locator('#room-name').filter({ hasText: /^keys$/ }).waitFor();
  await ann.getByRole('button', { name: 'Change name' }).focus();
  await ann.keyboard.press('Enter');
  await ann.getByRole('button', { name: 'Join', exact: true }).waitFor();
});

function focusIs(page, id) {
  return until(page, wanted => document.activeElement.id === wanted, id);
}
