/** The chat page where people sign in: tokens by cookie and by ticket, and what becomes of those that end. */
import assert from 'node:assert/strict';
import { createServer, request } from 'node:http';
import { once } from 'node:events';
import { test } from 'node:test';
import { askToJoin, draft, join, joinAnother, message, newPage, say, speakAs, until } from './browser.mjs';
import { setStage } from './stage.mjs';
import { AUTH, signIn, token } from './tokens.mjs';

let server, browser;
setStage(stage => ({ server, browser } = stage), folder => ({
  auth: AUTH, admission: { '/chat': { origins: ['*'] } }, chat: { journal: `sqlite:${folder}/chat.db` }, log: { level: 'warning' },
}));

const alert = (page, text) => page.getByRole('alert').filter({ hasText: text });

test('who has signed in is who the token says, whatever name is typed', async () => {
  const ann = await newPage(browser);
  await signIn(ann, server, 'Ann of the token');
  await join(ann, server, { name: 'someone else', room: 'cookie' });
  assert.equal(await ann.locator('#my-name').textContent(), 'Ann of the token');
  await say(ann, 'here I am');
  await message(ann, 'here I am').waitFor();
  assert.equal(await ann.locator('#log .sender').textContent(), 'You');
  await ann.reload();
  await message(ann, 'here I am').waitFor();
  assert.equal(await ann.locator('#my-name').textContent(), 'Ann of the token');
  assert.deepEqual(ann.complaints, []);
});

test('who has not is told to, and comes in when that is done', async () => {
  const ann = await newPage(browser);
  await askToJoin(ann, server, { name: 'ann', room: 'unknown' });
  await alert(ann, 'Please sign in first').waitFor();
  await signIn(ann, server, 'ann', { seconds: -60 });
  await ann.keyboard.press('Enter');
  await alert(ann, 'Please sign in first').waitFor();
  await signIn(ann, server, 'ann');
  await ann.keyboard.press('Enter');
  await ann.locator('#state[data-state=open]').waitFor();
});

test('a room that is not for one is said to be none', async () => {
  const ann = await newPage(browser);
  await signIn(ann, server, 'ann', { rooms: ['team-*'] });
  await askToJoin(ann, server, { name: 'ann', room: 'board' });
  await alert(ann, 'You may not enter the room “board”.').waitFor();
  await join(ann, server, { name: 'ann', room: 'team-a' });
  await ann.keyboard.press('Control+k');
  await ann.getByLabel('Room’s name').fill('board');
  await ann.keyboard.press('Enter');
  await ann.locator('#outage-text').filter({ hasText: 'You may not enter board' }).waitFor();
  assert.equal(await draft(ann).isEditable(), false);
  await ann.keyboard.press('Alt+ArrowUp');
  await ann.locator('#state[data-state=open]').waitFor();
});

test('behind a proxy that lets no cookie through with a WebSocket, the page gets itself a ticket', async () => {
  const proxy = await startProxy(server.port);
  try {
    const ann = await newPage(browser);
    await signIn(ann, proxy, 'ann');
    await join(ann, proxy, { name: 'ann', room: 'proxy' });
    assert.equal(proxy.tickets, 1);
    await say(ann, 'through it');
    await message(ann, 'through it').waitFor();
    proxy.hangUp();
    await say(ann, 'and again');
    await message(ann, 'and again').waitFor();
    await ann.locator('.pending').waitFor({ state: 'detached' });
    assert.equal(proxy.tickets, 2);
  } finally {
    proxy.close();
  }
});

/** A proxy that takes the cookie out of WebSocket handshakes; it counts tickets. */
async function startProxy(port) {
  const sockets = new Set();
  const pass = incoming => {
    const headers = { ...incoming.headers };
    if (headers.upgrade) delete headers.cookie;
    return request({ port, host: '127.0.0.1', method: incoming.method, path: incoming.url, headers });
  };
  const proxy = createServer((incoming, answer) => {
    if (incoming.url === '/api/tickets') self.tickets++;
    incoming.pipe(pass(incoming).on('response', response => response.pipe(answer.writeHead(response.statusCode, response.headers))));
  });
  proxy.on('upgrade', (incoming, socket) => {
    sockets.add(socket);
    const outgoing = pass(incoming);
    outgoing.on('upgrade', (response, behind, first) => {
      const head = Object.entries(response.headers).map(([name, value]) => `${name}: ${value}\r\n`).join('');
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${head}\r\n`);
      socket.write(first); // the welcome may have come with it
      for (const [from, to] of [[socket, behind], [behind, socket]]) from.pipe(to).on('error', () => from.destroy());
    });
    outgoing.on('response', response => { socket.end(`HTTP/1.1 ${response.statusCode} No\r\nContent-Length: 0\r\n\r\n`); });
    outgoing.end();
  });
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  const self = {
    url: `http://127.0.0.1:${proxy.address().port}`,
    tickets: 0,
    hangUp() { for (const socket of sockets) socket.destroy(); },
    close() { self.hangUp(); proxy.close(); proxy.closeAllConnections(); },
  };
  return self;
}

test('a page with a token of its own exchanges it for tickets, even beside a cookie that has ended', async () => {
  const ann = await newPage(browser);
  await signIn(ann, server, 'ann');
  await join(ann, server, { name: 'ann', room: 'bearer' });
  await signIn(ann, server, 'ann', { seconds: -60 });
  await speakAs(ann, 'nobody', 'bearer', ['by token'], token('bob'));
  await message(ann, 'by token').waitFor();
  assert.equal(await ann.locator('#log .sender').textContent(), 'bob');
});

test('a lost connection is resumed, with what was said meanwhile and what was written', async () => {
  const [ann, bob] = [await newPage(browser), await newPage(browser)];
  for (const [page, name] of [[ann, 'ann'], [bob, 'bob']]) {
    await signIn(page, server, name);
    await join(page, server, { name, room: 'resume' });
  }
  await say(ann, 'one');
  await message(bob, 'one').waitFor();
  await bob.context().setOffline(true);
  await bob.evaluate(() => dispatchEvent(new Event('offline')));
  await server.kill();
  await bob.locator('#outage').waitFor();
  await say(bob, 'from the tunnel');
  await server.start();
  await ann.locator('#state[data-state=open]').waitFor();
  await say(ann, 'two');
  await message(ann, 'two').waitFor();
  await bob.context().setOffline(false);
  await message(bob, 'two').waitFor();
  for (const page of [ann, bob]) {
    await message(page, 'from the tunnel').waitFor();
    assert.deepEqual(await page.locator('#log .text').allTextContents(), ['one', 'two', 'from the tunnel']);
  }
  await bob.locator('.pending').waitFor({ state: 'detached' });
});

test('when the token ends the page says so, keeps what is written, and goes on after the next login', async () => {
  const ann = await newPage(browser);
  await signIn(ann, server, 'ann', { seconds: 4 });
  await join(ann, server, { name: 'ann', room: 'expiry' });
  await joinAnother(ann, 'expiry 2');
  await ann.locator('#outage-text').filter({ hasText: 'Your sign-in has expired.' }).waitFor();
  assert.equal(await ann.locator('#state').textContent(), 'Not connected');
  assert.equal(await ann.locator('.room-link.out').count(), 0);
  await say(ann, 'too late');
  await ann.locator('.pending[data-fate=waiting]').filter({ hasText: 'too late' }).waitFor();

  await signIn(ann, server, 'ann');
  await ann.evaluate(() => dispatchEvent(new Event('focus'))); // back from the page where one signs in
  await ann.locator('#state[data-state=open]').waitFor();
  await message(ann, 'too late').waitFor();
  await ann.goBack();
  await ann.locator('#room-name').filter({ hasText: /^expiry$/ }).waitFor();
  await ann.locator('#state[data-state=open]').waitFor();
});

test('a token that is renewed in time is never missed', async () => {
  const ann = await newPage(browser);
  await signIn(ann, server, 'ann', { seconds: 3 });
  await join(ann, server, { name: 'ann', room: 'renewed' });
  await ann.evaluate(() => {
    globalThis.seen = new Set();
    new MutationObserver(() => seen.add(document.getElementById('state').textContent)).observe(document.getElementById('state'), { childList: true });
  });
  await signIn(ann, server, 'ann');
  await until(ann, () => seen.has('Reconnecting') && document.getElementById('state').dataset.state === 'open');
  assert.equal(await ann.evaluate(() => seen.has('Not connected')), false);
});
