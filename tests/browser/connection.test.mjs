/** What becomes of messages when the connection does not last, and what the page says of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aMessage, draft, join, message, newPage, playServer, say, speakAs, until } from './browser.mjs';
import { setStage } from './stage.mjs';

let server, browser;
setStage(stage => ({ server, browser } = stage));

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
      acknowledge = () => { send(aMessage({ sender: 'ann', message })); send({ type: 'ack', id, seq: 1 }); };
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
      send(aMessage({ sender: 'ann', message }));
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
    hears(({ id, message }) => { if (connection > 1 && id) { send(aMessage({ sender: 'ann', message })); send({ type: 'ack', id, seq: 1 }); } });
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
      send(aMessage({ sender: 'ann', message }));
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
  const [ann, bob] = [await newPage(browser), await newPage(browser)];
  await join(ann, server, { name: 'ann', room: 'reset' });
  await speakAs(ann, 'bob', 'reset', ['old', 'older']);
  await message(ann, 'older').waitFor();
  await server.stop(); // with the memory of what was said
  await ann.locator('#outage').waitFor();
  await server.start();
  await bob.goto(`${server.url}/console.html`);
  await speakAs(bob, 'bob', 'reset', ['new']);
  await message(ann, 'new').waitFor();
  assert.deepEqual(await ann.locator('#log .text').allTextContents(), ['new']);
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
      send(aMessage({ sender: 'ann', message }));
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

test('who typed when the connection broke is not shown to type for ever', async () => {
  const [ann, bob] = [await newPage(browser), await newPage(browser)];
  await ann.clock.install();
  await join(ann, server, { name: 'ann', room: 'typing' });
  await join(bob, server, { name: 'bob', room: 'typing' });
  await draft(bob).pressSequentially('he');
  await ann.getByText('bob is typing').waitFor();
  await server.kill();
  await ann.locator('#outage').waitFor();
  assert.equal(await ann.locator('#typing').textContent(), '');
  await server.start();
});
