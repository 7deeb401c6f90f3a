/** How the client finds the server, and what it says when it gets nowhere: no browser, no server, and a clock that the test turns. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { ChatClient, State } from '../../www/chat-client.js';
import { Network, settle } from './network.mjs';

let network, client, states, errors;

beforeEach(() => {
  mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  network = new Network();
  make({});
});

afterEach(() => {
  client.close();
  mock.timers.reset();
});

/** A client, opened, in place of the one before. */
function make(options) {
  client?.close();
  client = new ChatClient({ username: 'ann', base: 'http://example.org/', network, ...options });
  states = [];
  errors = [];
  client.addEventListener('state', ({ detail }) => states.push(detail));
  client.addEventListener('error', ({ detail }) => errors.push(detail));
  client.open();
}

const state = () => states.at(-1).state;

/** Lets `count` tries fail, each by what the network does; a new connection can be closed by the test first. */
async function failTries(count) {
  for (let attempt = 0; attempt < count; attempt++) {
    if (state() === State.WAITING) client.retryNow();
    if (network.last?.readyState === 0) network.last.closes(1006);
    await settle();
  }
}

/** What a page of `href` would see. */
async function onPage(href, act) {
  globalThis.location = new URL(href);
  try {
    await act();
  } finally {
    delete globalThis.location;
  }
}

test('who can’t get in is told so once, and it goes on trying', async () => {
  network.well = false;
  await failTries(4);
  assert.deepEqual(errors, []);
  assert.equal(states.at(-1).attempts, 4);
  await failTries(1);
  assert.deepEqual(errors, [{ code: 'unreachable', message: 'http://example.org cannot be reached: Failed to fetch', attempts: 5 }]);
  const tries = network.sockets.length;
  for (let minute = 0; minute < 3; minute++) {
    mock.timers.tick(60_000);
    network.last.closes(1006);
    await settle();
  }
  assert.equal(network.sockets.length, tries + 3);
  assert.equal(errors.length, 1);
  client.retryNow();
  network.last.welcomes();
  await failTries(1);
  network.last.closes(1006);
  await failTries(6);
  assert.equal(errors.length, 2);
});

test('where another origin’s server is there and doesn’t answer the page, the words are of its origins', async () => {
  await onPage('https://shop.example/cart', async () => {
    const refused = network.fetch;
    make({ base: 'https://chat.example' });
    network.fetch = function (url, options) {
      this.well = options.mode === 'no-cors';
      return refused.call(this, url, options);
    };
    await failTries(5);
    assert.equal(errors[0].message, 'https://chat.example does not answer pages of https://shop.example: its origins have to name them');
    assert.equal(state(), State.WAITING);
  });
});

test('a page that came by https is told that the server is not for it', () => onPage('https://shop.example/', async () => {
  network.well = false;
  make({ base: 'http://chat.example' });
  await failTries(5);
  assert.equal(errors[0].message, 'http://chat.example is not for pages that came by https');
}));

test('where requests are answered and sockets are not, the words say that', async () => {
  network.last.welcomes();
  network.last.closes(1006);
  for (let attempt = 0; attempt < 5; attempt++) {
    client.retryNow();
    network.last.dispatchEvent(Object.assign(new Event('error'), { error: new Error('Unexpected server response: 400') }));
    network.last.closes(1006);
    await settle();
  }
  assert.match(errors[0].message, /^http:\/\/example.org answers requests but opens no WebSocket.*: Unexpected server response: 400$/);
});

for (const [what, options, words] of [
  ['a WebSocket that can’t be made', { WebSocket: class { constructor() { throw new Error('no sockets today'); } } }, /: no sockets today$/],
  ['a token that can’t be fetched', { token: () => Promise.reject(new Error('the login is down')) }, /: the login is down$/],
  ['a token function that throws', { token: () => { throw new Error('oops'); } }, /: oops$/],
  ['a ticket that the server can’t make', { token: 't' }, /refuses, with 500$/],
]) {
  test(`${what} is an error of the client, and nobody else’s`, async () => {
    network.answers['/api/tickets'] = { status: 500 };
    make(options);
    await settle();
    await failTries(5);
    assert.equal(state(), State.WAITING);
    assert.match(errors[0].message, words);
  });
}

test('an error that no close follows ends the try, and one that a close follows does so once', async () => {
  const fails = () => network.last.dispatchEvent(Object.assign(new Event('error'), { error: new Error('refused') }));
  network.well = false;
  fails();
  mock.timers.tick(1);
  await settle();
  assert.deepEqual([state(), states.at(-1).attempts], [State.WAITING, 1]);
  client.retryNow();
  fails();
  network.last.closes(1006);
  mock.timers.tick(1);
  await settle();
  assert.deepEqual([state(), states.at(-1).attempts], [State.WAITING, 2]);
});

test('a token that has always expired is no reason to be silent', async () => {
  network.answers['/api/tickets'] = { status: 201, body: { ticket: 't' } };
  make({ token: 't' });
  for (let attempt = 0; attempt < 5; attempt++) {
    await settle();
    network.last.closes(4401, 'expired');
    client.retryNow();
  }
  await settle();
  assert.match(errors[0].message, /refuses, with 4401$/);
});

test('what is asked after a failed handshake may hang, too', async () => {
  network.fetch = () => new Promise(() => {});
  network.last.closes(1006);
  await settle();
  assert.equal(state(), State.CONNECTING);
  mock.timers.tick(15_000);
  assert.equal(state(), State.WAITING);
});

test('the server is where the page came from, or where one says', async () => {
  await onPage('https://example.org/shop/assets/index.html?x#y', async () => {
    make({ base: undefined });
    assert.equal(new URL(network.last.url).href.split('?')[0], 'wss://example.org/chat');
    make({ base: '/live/' });
    assert.equal(network.last.url.split('?')[0], 'wss://example.org/live/chat');
    await client.newest().catch(() => {});
    assert.equal(network.asked.at(-1).path, '/live/api/rooms/lobby/messages?limit=50');
  });
  make({ base: 'wss://chat.example' });
  assert.equal(network.last.url.split('?')[0], 'wss://chat.example/chat');
  make({ base: new URL('ws://chat.example:3000') });
  assert.equal(network.last.url.split('?')[0], 'ws://chat.example:3000/chat');
});

test('without an address or anything to reach it with, the words say what to pass', async () => {
  assert.throws(() => new ChatClient({ network }), { name: 'TypeError', message: /pass the server's address/ });
  for (const href of ['file:///index.html', 'data:text/html,hi', 'about:srcdoc']) {
    await onPage(href, () => assert.throws(() => new ChatClient({ network }), /pass the server's address/));
  }
  for (const base of ['example.org', '/live/', 'ftp://example.org']) {
    assert.throws(() => new ChatClient({ base, network }), { name: 'TypeError', message: /base is .*: expected/ });
  }
  assert.throws(() => new ChatClient({ base: 'http://h', network: { fetch } }), { name: 'TypeError', message: /no WebSocket here: pass one/ });
  assert.throws(() => new ChatClient({ base: 'http://h', network: { WebSocket: network.WebSocket } }), /no fetch here: pass one/);
});

test('a WebSocket and a fetch of one’s own are used, and called as what they are', async () => {
  const asked = [];
  const own = function (url) {
    assert.equal(this, undefined);
    asked.push(url);
    return network.fetch(url);
  };
  make({ network: globalThis, WebSocket: network.WebSocket, fetch: own });
  assert.equal(network.last.query.username, 'ann');
  await client.newest().catch(() => {});
  assert.deepEqual(asked, ['http://example.org/api/rooms/lobby/messages?limit=50']);
});
