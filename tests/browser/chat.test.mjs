/** The chat page as people use it, against the real daemon. */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { askToJoin, join, launch, message, newPage, notice, say, speakAs, until } from './browser.mjs';
import { Server } from './server.mjs';

let server, browser;

before(async () => {
  server = await Server.start();
  browser = await launch();
});

afterEach(() => Promise.all(browser.contexts().map(context => context.close())));

after(async () => {
  await browser?.close();
  await server?.stop();
});

/** Stands in for the server's side of the chat on `page`, for what a real server does too seldom. */
function playServer(page, onConnection) {
  let connections = 0;
  return page.routeWebSocket(/\/chat\?/, socket => onConnection(socket, ++connections));
}

const echo = (socket, data) => socket.send(JSON.stringify({ sender: 'ann', message: JSON.parse(data).message, seq: 1, time: new Date().toISOString() }));

test('two people chat with each other', async () => {
  const [ann, bob] = [await newPage(browser), await newPage(browser)];
  await join(ann, server, { name: 'ann' });
  await join(bob, server, { name: 'bob' });
  await notice(ann, 'bob joined').waitFor();

  await say(ann, 'Good morning, Bob');
  await message(bob, 'Good morning, Bob').waitFor();
  await say(bob, 'And to you');
  await message(ann, 'And to you').waitFor();

  assert.equal(await ann.locator('.group.own .sender').textContent(), 'You');
  assert.equal(await ann.locator('.group.other .sender').textContent(), 'bob');
  assert.equal(await bob.locator('.group.other .sender').textContent(), 'ann');
  assert.equal(await ann.locator('.pending').count(), 0);

  await bob.getByRole('button', { name: 'Leave' }).click();
  await notice(ann, 'bob left').waitFor();
  assert.deepEqual([...ann.complaints, ...bob.complaints], []);
});

test('rooms are apart, and a link leads into one', async () => {
  const [ann, bob] = [await newPage(browser), await newPage(browser)];
  await join(ann, server, { name: 'ann', room: 'tea & cake #1 + ü' });
  await join(bob, server, { name: 'bob', room: 'another' });
  await say(bob, 'only here');
  await message(bob, 'only here').waitFor();

  const guest = await newPage(browser);
  await guest.goto(ann.url());
  assert.equal(await guest.getByLabel('Room').inputValue(), 'tea & cake #1 + ü');
  await guest.getByLabel('Your name').fill('guest');
  await guest.keyboard.press('Enter');
  await notice(ann, 'guest joined').waitFor();
  assert.equal(await message(ann, 'only here').count(), 0);
});

test('messages of one speaker stand together, each with its time', async () => {
  const ann = await newPage(browser);
  await join(ann, server, { name: 'ann', room: 'groups' });
  await speakAs(ann, 'bob', 'groups', ['one', 'two', 'three\nfour']);
  await message(ann, 'three\nfour').waitFor();
  assert.equal(await ann.locator('.group.other').count(), 1);
  assert.equal(await ann.locator('.group.other .said').count(), 3);
  for (const time of await ann.locator('.group.other time').all()) {
    assert.match(await time.getAttribute('datetime'), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.match(await time.getAttribute('title'), /\d{4}/);
  }
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
  await notice(ann, `${names.at(-1)} left`).waitFor();

  assert.deepEqual(await ann.locator('#log .text').allTextContents(), names.flatMap(() => texts));
  assert.deepEqual(await ann.locator('#log .group .sender').allTextContents(), names);
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
  await page.getByRole('button', { name: 'Join' }).click();
  await page.locator('#state[data-state=open]').waitFor();
});

test('after a restart of the server everyone is back, and what was typed meanwhile is sent', async () => {
  const [ann, bob] = [await newPage(browser), await newPage(browser)];
  await join(ann, server, { name: 'ann', room: 'restart' });
  await join(bob, server, { name: 'bob', room: 'restart' });

  await server.stop();
  await ann.locator('#state').filter({ hasText: /Reconnecting|Connecting/ }).waitFor();
  await ann.getByRole('button', { name: 'Try now' }).waitFor();
  await say(ann, 'typed while away');
  await ann.locator('.pending[data-fate=waiting]').filter({ hasText: 'typed while away' }).waitFor();

  await server.start();
  await bob.locator('#state[data-state=open]').waitFor();
  await ann.locator('#state[data-state=open]').waitFor();
  await message(ann, 'typed while away').waitFor();
  assert.equal(await ann.locator('.pending').count(), 0);
  await say(bob, 'here again');
  await message(ann, 'here again').waitFor();
});

test('who is back online need not wait', async () => {
  const ann = await newPage(browser);
  await playServer(ann, (socket, connection) => { if (connection === 1) socket.onMessage(() => socket.close({ code: 1001 })); });
  await join(ann, server, { name: 'ann' });
  await say(ann, 'bye');
  await until(ann, () => {
    const { dataset } = document.getElementById('state');
    if (dataset.state !== 'waiting') return false;
    dispatchEvent(new Event('online'));
    return dataset.state === 'connecting';
  });
  await ann.locator('#state[data-state=open]').waitFor();
});

test('what may not have arrived is neither lost nor said twice unasked', async () => {
  const ann = await newPage(browser);
  await playServer(ann, (socket, connection) => socket.onMessage(data => connection === 1 ? socket.close({ code: 1001 }) : echo(socket, data)));
  await join(ann, server, { name: 'ann' });
  await say(ann, 'did you get this?');
  await ann.locator('#state[data-state=open]').waitFor();
  await ann.locator('.pending[data-fate=doubtful]').filter({ hasText: 'May not have arrived' }).waitFor();
  await ann.getByRole('button', { name: 'Send again' }).click();
  await message(ann, 'did you get this?').waitFor();
  assert.equal(await ann.locator('.pending').count(), 0);
});

test('a connection that has gone deaf is noticed and replaced', async () => {
  const ann = await newPage(browser);
  await ann.clock.install();
  await playServer(ann, (socket, connection) => socket.onMessage(data => { if (connection > 1) echo(socket, data); }));
  await join(ann, server, { name: 'ann' });
  await say(ann, 'anybody there?');
  await ann.locator('.pending[data-fate=sent]').waitFor();
  await ann.clock.runFor(11_000);
  await ann.locator('.pending[data-fate=doubtful]').waitFor();
  await ann.locator('#state[data-state=open]').waitFor();
  await ann.getByRole('button', { name: 'Send again' }).click();
  await message(ann, 'anybody there?').waitFor();
});

test('a complaint of the server is shown, and the message goes back to where it was typed', async () => {
  const ann = await newPage(browser);
  await playServer(ann, socket => socket.onMessage(() => socket.send('{"sender":"__server","error":"slow down"}')));
  await join(ann, server, { name: 'ann' });
  await say(ann, 'faster!');
  await ann.locator('.notice.complaint').filter({ hasText: 'slow down' }).waitFor();
  assert.equal(await ann.getByLabel('Message', { exact: true }).inputValue(), 'faster!');
  assert.equal(await ann.locator('.pending').count(), 0);
});

test('a closing by policy ends it, with the reason', async () => {
  const ann = await newPage(browser);
  await playServer(ann, socket => socket.onMessage(() => socket.close({ code: 1008, reason: 'too many messages' })));
  await join(ann, server, { name: 'ann' });
  await say(ann, 'spam');
  await ann.getByRole('alert').filter({ hasText: 'too many messages' }).waitFor();
});

test('too long a message is not sent but kept, and counted as people count', async () => {
  const ann = await newPage(browser);
  await join(ann, server, { name: 'ann', room: 'long' });
  await say(ann, '😀'.repeat(4097));
  await ann.getByText('1 character too long').waitFor();
  assert.equal(await ann.getByRole('button', { name: 'Send' }).isDisabled(), true);
  await say(ann, '😀'.repeat(4096));
  await message(ann, '😀'.repeat(4096)).waitFor();
});

test('a reload keeps name, room and draft', async () => {
  const ann = await newPage(browser);
  await join(ann, server, { name: 'ann', room: 'kept' });
  await ann.getByLabel('Message', { exact: true }).fill('half a thought');
  await ann.reload();
  await ann.locator('#state[data-state=open]').waitFor();
  assert.equal(await ann.locator('#room-name').textContent(), 'kept');
  assert.equal(await ann.getByLabel('Message', { exact: true }).inputValue(), 'half a thought');
});

test('who has scrolled up stays there, and is told of what is new', async () => {
  const ann = await newPage(browser);
  await join(ann, server, { name: 'ann', room: 'scroll' });
  await speakAs(ann, 'bob', 'scroll', Array.from({ length: 60 }, (_, index) => `line ${index}`));
  await message(ann, 'line 59').waitFor();
  const scroller = ann.locator('#scroller');
  const fromEnd = () => scroller.evaluate(it => it.scrollHeight - it.scrollTop - it.clientHeight);
  assert.ok(await fromEnd() < 2, 'new messages are followed');

  await scroller.focus();
  await ann.keyboard.press('Home');
  await until(ann, () => document.getElementById('scroller').scrollTop === 0);
  const newer = ann.locator('#newer');
  const place = await scroller.evaluate(it => it.scrollTop);
  await speakAs(ann, 'bob', 'scroll', ['news', 'more news']);
  await newer.filter({ hasText: '2 new messages' }).waitFor();
  await until(ann, () => document.getElementById('log').textContent.includes('more news'));
  assert.equal(await scroller.evaluate(it => it.scrollTop), place);

  await newer.click();
  assert.ok(await fromEnd() < 2);
  assert.equal(await newer.isVisible(), false);
});

test('a busy room does not pull back who scrolls up', async () => {
  const ann = await newPage(browser);
  await playServer(ann, socket => socket.onMessage(() => {
    let count = 0;
    const chatter = setInterval(() => ++count < 1000 ? socket.send(JSON.stringify({ sender: 'bob', message: `line ${count}` })) : clearInterval(chatter), 5);
    ann.on('close', () => clearInterval(chatter));
  }));
  await join(ann, server, { name: 'ann' });
  await say(ann, 'talk');
  await message(ann, 'line 60').waitFor();
  await ann.locator('#scroller').focus();
  await ann.keyboard.press('PageUp');
  await ann.locator('#newer').waitFor();
  await ann.keyboard.press('Home');
  await until(ann, () => document.getElementById('scroller').scrollTop === 0);
});

test('a flood leaves the page with the newest thousand', async () => {
  const ann = await newPage(browser);
  const flood = 1500;
  await playServer(ann, socket => socket.onMessage(() => {
    for (let index = 0; index < flood; index++) socket.send(JSON.stringify({ sender: `u${index % 7}`, message: `drop ${index}` }));
  }));
  await join(ann, server, { name: 'ann' });
  await say(ann, 'rain');
  await message(ann, `drop ${flood - 1}`).waitFor();
  const shown = await ann.locator('#log .text').count();
  assert.ok(shown > 900 && shown <= 1000, `${shown} are shown`);
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

  await speakAs(ann, 'bob', 'keys', Array.from({ length: 60 }, (_, index) => `line ${index}`));
  await message(ann, 'line 59').waitFor();
  await ann.keyboard.press('Shift+Tab');
  await focusIs(ann, 'scroller');
  await ann.keyboard.press('Home');
  await until(ann, () => document.getElementById('scroller').scrollTop === 0);
  await speakAs(ann, 'bob', 'keys', ['news']);
  await ann.locator('#newer').waitFor();
  await ann.keyboard.press('Tab');
  await focusIs(ann, 'newer');
  await ann.keyboard.press('Enter');
  await ann.locator('#newer').waitFor({ state: 'hidden' });
  await focusIs(ann, 'scroller');
  await ann.keyboard.press('Shift+Tab');
  await focusIs(ann, 'leave');
  await ann.keyboard.press('Enter');
  await ann.getByRole('button', { name: 'Join' }).waitFor();
});

function focusIs(page, id) {
  return until(page, wanted => document.activeElement.id === wanted, id);
}
