/** The chat page as people use it, against the real daemon. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { askToJoin, draft, join, joinAnother, lines, message, newPage, person, playServer, say, setHidden, speakAs, until } from './browser.mjs';
import { setStage } from './stage.mjs';

let server, browser;
setStage(stage => ({ server, browser } = stage));

const roomLink = (page, room) => page.locator('#room-list .room-link', { hasText: room });
const atEnd = page => until(page, () => {
  const { scrollHeight, scrollTop, clientHeight } = document.getElementById('scroller');
  return scrollHeight - scrollTop - clientHeight < 2;
});
const message1 = facts => ({ type: 'message', sender: 'bob', message: 'hi', seq: 1, time: new Date().toISOString(), ...facts });

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
    [400, 1, 0].forEach((days, index) => send(message1({ seq: index + 1, message: `${days} days ago`, time: at(days) })));
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

test('after a restart of the server everyone is back, and what was typed meanwhile is sent', async () => {
  const [ann, bob] = [await newPage(browser), await newPage(browser)];
  await join(ann, server, { name: 'ann', room: 'restart' });
  await join(bob, server, { name: 'bob', room: 'restart' });

  await server.stop();
  await ann.locator('#state').filter({ hasText: /Reconnecting/ }).waitFor();
  await ann.getByRole('button', { name: 'Try now' }).waitFor();
  await say(ann, 'typed while away');
  await ann.locator('.pending[data-fate=waiting]').filter({ hasText: 'typed while away' }).waitFor();

  await server.start();
  await bob.locator('#state[data-state=open]').waitFor();
  await ann.locator('#state[data-state=open]').waitFor();
  await message(ann, 'typed while away').waitFor();
  await ann.locator('.pending').waitFor({ state: 'detached' });
  await say(bob, 'here again');
  await message(ann, 'here again').waitFor();
});

test('who is back online need not wait', async () => {
  const ann = await newPage(browser);
  await playServer(ann, ({ welcome, hears, socket }, connection) => {
    welcome();
    if (connection === 1) hears(() => socket.close({ code: 1001 }));
  });
  await join(ann, server, { name: 'ann' });
  await say(ann, 'bye');
  await until(ann, () => {
    const { dataset } = document.getElementById('state');
    if (dataset.state !== 'waiting') return false;
    dispatchEvent(new Event('online'));
    return dataset.state === 'connecting' || dataset.state === 'open';
  });
  await ann.locator('#state[data-state=open]').waitFor();
});

test('one’s own message is shown at once, and confirmed when it is acknowledged', async () => {
  const ann = await newPage(browser);
  let acknowledge;
  await playServer(ann, ({ welcome, hears, send }) => {
    welcome();
    hears(({ id, type, message }) => {
      if (type === 'typing') return;
      acknowledge = () => { send(message1({ sender: 'ann', message })); send({ type: 'ack', id, seq: 1 }); };
    });
  });
  await join(ann, server, { name: 'ann' });
  await say(ann, 'hello');
  await ann.locator('.pending[data-fate=sent] .text').filter({ hasText: 'hello' }).waitFor();
  await ann.locator('.pending .fate').filter({ hasText: 'Sending…' }).waitFor();
  assert.equal(await message(ann, 'hello').count(), 0);
  acknowledge();
  await message(ann, 'hello').waitFor();
  await ann.locator('.pending').waitFor({ state: 'detached' });
  await ann.locator('#log .own .tick').waitFor();
});

test('what had no answer when the connection broke is sent again under its id', async () => {
  const ann = await newPage(browser);
  const ids = [];
  await playServer(ann, ({ welcome, hears, send, socket }, connection) => {
    welcome();
    hears(({ id, type, message }) => {
      if (type === 'typing') return;
      ids.push(id);
      if (connection === 1) return socket.close({ code: 1001 });
      send({ type: 'ack', id, seq: 1 });
      send(message1({ sender: 'ann', message }));
    });
  });
  await join(ann, server, { name: 'ann' });
  await say(ann, 'did you get this?');
  await message(ann, 'did you get this?').waitFor();
  await ann.locator('.pending').waitFor({ state: 'detached' });
  assert.equal(ids.length, 2);
  assert.equal(ids[0], ids[1]);
});

test('a connection that has gone deaf is noticed and replaced', async () => {
  const ann = await newPage(browser);
  await ann.clock.install();
  await playServer(ann, ({ welcome, hears, send }, connection) => {
    welcome();
    hears(({ id, message }) => { if (connection > 1 && id) { send(message1({ sender: 'ann', message })); send({ type: 'ack', id, seq: 1 }); } });
  });
  await join(ann, server, { name: 'ann' });
  await say(ann, 'anybody there?');
  await ann.locator('.pending[data-fate=sent]').waitFor();
  await ann.clock.runFor(11_000);
  await message(ann, 'anybody there?').waitFor();
});

test('what the server will not take is shown with the reason, and may be sent again', async () => {
  const ann = await newPage(browser);
  let refuse = true;
  await playServer(ann, ({ welcome, hears, send }) => {
    welcome();
    hears(({ id, message }) => {
      if (!id) return;
      if (refuse) return send({ type: 'error', code: 'muted', message: 'you are muted', id });
      send({ type: 'ack', id, seq: 1 });
      send(message1({ sender: 'ann', message }));
    });
  });
  await join(ann, server, { name: 'ann' });
  await say(ann, 'faster!');
  await ann.locator('.pending[data-fate=failed]').filter({ hasText: 'Not sent: you are muted' }).waitFor();
  refuse = false;
  await ann.getByRole('button', { name: 'Send again' }).click();
  await message(ann, 'faster!').waitFor();

  refuse = true;
  await say(ann, 'no more');
  await ann.getByRole('button', { name: 'Discard' }).click();
  await ann.locator('.pending').waitFor({ state: 'detached' });
});

test('a closing for breaking the rules ends it, with the reason', async () => {
  const ann = await newPage(browser);
  let connections = 0;
  await playServer(ann, ({ welcome, hears, socket }) => {
    connections++;
    welcome();
    hears(({ id }) => { if (id) socket.close({ code: 1008, reason: 'too many messages' }); });
  });
  await join(ann, server, { name: 'ann' });
  await say(ann, 'spam');
  await ann.locator('#outage').filter({ hasText: 'too many messages' }).waitFor();
  await ann.locator('#state[data-state=refused]').waitFor();
  await ann.waitForTimeout(600);
  assert.equal(connections, 1);
  await ann.getByRole('button', { name: 'Try again' }).click();
  await ann.locator('#outage').filter({ hasText: 'too many messages' }).waitFor();
  assert.equal(connections, 2);
});

test('a reset throws away what was there, and shows what follows', async () => {
  const ann = await newPage(browser);
  await playServer(ann, ({ welcome, send, socket, searchParams }, connection) => {
    if (connection === 1) {
      welcome();
      send(message1({ message: 'old' }));
      setTimeout(() => socket.close({ code: 1001 }), 100);
    } else {
      assert.equal(searchParams.get('since'), '1');
      assert.equal(searchParams.get('epoch'), 'e');
      welcome({ epoch: 'f', seq: 7 });
      send({ type: 'reset', epoch: 'f', seq: 6 });
      send(message1({ seq: 7, message: 'new' }));
    }
  });
  await join(ann, server, { name: 'ann' });
  await message(ann, 'new').waitFor();
  assert.equal(await message(ann, 'old').count(), 0);
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

test('a reload loses nothing that is on its way', async () => {
  const ann = await newPage(browser);
  let deaf = true;
  const ids = new Set();
  await playServer(ann, ({ welcome, hears, send }) => {
    welcome();
    hears(({ id, message }) => {
      if (!id) return;
      ids.add(id);
      if (deaf) return;
      send({ type: 'ack', id, seq: 1 });
      send(message1({ sender: 'ann', message }));
    });
  });
  await join(ann, server, { name: 'ann' });
  await say(ann, 'on its way');
  await ann.locator('.pending').waitFor();
  deaf = false;
  await ann.reload();
  await message(ann, 'on its way').waitFor();
  assert.equal(ids.size, 1);
});

test('earlier messages come when one scrolls up, to the first one, and the place is kept', async () => {
  const ann = await newPage(browser);
  await join(ann, server, { name: 'other', room: 'elsewhere' });
  await speakAs(ann, 'bob', 'past', lines(400));
  await join(await forget(ann), server, { name: 'ann', room: 'past' });
  await message(ann, 'line 399').waitFor();
  assert.equal(await message(ann, 'line 100').count(), 0);

  await ann.locator('#scroller').focus();
  await ann.keyboard.press('PageUp');
  for (let turn = 0; turn < 60 && await message(ann, 'line 0').count() === 0; turn++) {
    const before = await topmost(ann);
    await ann.locator('#scroller').evaluate(it => { it.scrollTop = 20; });
    await ann.waitForTimeout(60);
    const after = await topmost(ann);
    assert.ok(after <= before, `from line ${before} to ${after}`);
  }
  await message(ann, 'line 0').waitFor();
  await ann.keyboard.press('Home');
  await ann.getByText('The beginning of past').waitFor();
  const shown = await ann.locator('#log .text').allTextContents();
  assert.deepEqual(shown, lines(400).slice(0, shown.length));
  assert.ok(shown.length <= 300, `${shown.length} are in the document`);

  await ann.getByRole('button', { name: 'Newest' }).click();
  await message(ann, 'line 399').waitFor();
  await atEnd(ann);
});

/** The number of the line at the top of the window. */
function topmost(page) {
  return page.evaluate(() => {
    const { top } = document.getElementById('scroller').getBoundingClientRect();
    const entry = [...document.querySelectorAll('#log .entry')].find(it => it.getBoundingClientRect().bottom > top + 1);
    return Number(entry.querySelector('.text').textContent.split(' ')[1]);
  });
}

/** As if someone else sat down at this browser. */
async function forget(page) {
  await page.evaluate(() => { localStorage.clear(); sessionStorage.clear(); });
  return page;
}

test('earlier messages that can’t be loaded may be asked for again', async () => {
  const ann = await newPage(browser);
  await join(ann, server, { name: 'other', room: 'elsewhere' });
  await speakAs(ann, 'bob', 'flaky', lines(80));
  let fail = true;
  await ann.route('**/messages?**', route => fail ? route.fulfill({ status: 500, body: '' }) : route.continue());
  await join(await forget(ann), server, { name: 'ann', room: 'flaky' });
  await message(ann, 'line 79').waitFor();
  await ann.locator('#scroller').focus();
  await ann.keyboard.press('Home');
  await ann.getByText('could not be loaded').waitFor();
  fail = false;
  await ann.getByRole('button', { name: 'Try again' }).click();
  await message(ann, 'line 0').waitFor();
});

test('who has scrolled up stays there, and is told of what is new', async () => {
  const ann = await newPage(browser);
  await join(ann, server, { name: 'ann', room: 'scroll' });
  await speakAs(ann, 'bob', 'scroll', lines(60));
  await message(ann, 'line 59').waitFor();
  const scroller = ann.locator('#scroller');
  await atEnd(ann);

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
  await atEnd(ann);
  assert.equal(await newer.isVisible(), false);
});

test('a busy room does not pull back who scrolls up', async () => {
  const ann = await newPage(browser);
  await playServer(ann, ({ welcome, hears, send }) => {
    welcome();
    hears(({ id }) => {
      if (!id) return;
      let count = 0;
      const chatter = setInterval(() => ++count < 1000 ? send(message1({ seq: count, message: `line ${count}` })) : clearInterval(chatter), 5);
      ann.on('close', () => clearInterval(chatter));
    });
  });
  await join(ann, server, { name: 'ann' });
  await say(ann, 'talk');
  await message(ann, 'line 60').waitFor();
  await ann.locator('#scroller').focus();
  await ann.keyboard.press('PageUp');
  await ann.locator('#newer').waitFor();
  await ann.keyboard.press('Home');
  await until(ann, () => document.getElementById('scroller').scrollTop === 0);
});

test('a flood is followed to its end', async () => {
  const ann = await newPage(browser);
  await playServer(ann, ({ welcome, hears, send }) => {
    welcome();
    hears(({ id }) => {
      if (!id) return;
      for (let index = 1; index <= 900; index++) setTimeout(() => send(message1({ seq: index, sender: `u${index % 7}`, message: `drop ${index}` })), index);
    });
  });
  await join(ann, server, { name: 'ann' });
  await say(ann, 'rain');
  await message(ann, 'drop 900').waitFor();
  await atEnd(ann);
  const shown = await ann.locator('#log .text').allTextContents();
  assert.ok(shown.length >= 150 && shown.length <= 200, `${shown.length} are in the document`);
  assert.deepEqual(shown, lines(901, 'drop').slice(-shown.length));
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

test('who typed when the connection broke is not shown to type for ever', async () => {
  const ann = await newPage(browser);
  await playServer(ann, ({ welcome, send, hears, socket }) => {
    welcome();
    send({ type: 'typing', user: 'bob' });
    hears(() => socket.close({ code: 1001 }));
  });
  await ann.clock.install();
  await join(ann, server, { name: 'ann' });
  await ann.getByText('bob is typing').waitFor();
  await say(ann, 'bye');
  await ann.locator('#outage').waitFor();
  assert.equal(await ann.locator('#typing').textContent(), '');
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
