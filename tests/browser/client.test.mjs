/** The protocol client by itself: no browser, no server, and a clock that the test turns. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, mock, test } from 'node:test';

// Node takes a .js file without a package beside it for CommonJS; as a data URL it is the module that a browser sees.
const source = await readFile(new URL('../../www/chat-client.js', import.meta.url), 'utf8');
const { ChatClient, State, chatUrl, nameProblem, retryDelay } = await import(`data:text/javascript,${encodeURIComponent(source)}`);

/** A network whose server is well or not, and on which every connection's fate is in the test's hands. */
class Network {
  sockets = [];
  well = true;

  constructor() {
    const network = this;
    this.WebSocket = class extends EventTarget {
      readyState = 0;
      sent = [];

      constructor(url) {
        super();
        this.url = url;
        network.sockets.push(this);
      }

      send(data) { this.sent.push(JSON.parse(data)); }
      close() { this.readyState = 3; }
      opens() { this.readyState = 1; this.dispatchEvent(new Event('open')); }
      closes(code, reason = '') { this.readyState = 3; this.dispatchEvent(Object.assign(new Event('close'), { code, reason })); }
      receives(frame) { this.dispatchEvent(Object.assign(new Event('message'), { data: typeof frame === 'string' ? frame : JSON.stringify(frame) })); }
    };
  }

  get last() { return this.sockets.at(-1); }

  async fetch() {
    if (!this.well) throw new TypeError('Failed to fetch');
    return { ok: true };
  }
}

let network, client, states, heard;

beforeEach(() => {
  mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  network = new Network();
  client = new ChatClient({ username: 'ann', base: 'http://example.org/', network });
  states = [];
  heard = [];
  client.addEventListener('state', ({ detail }) => states.push(detail));
  for (const type of ['message', 'notice', 'complaint']) client.addEventListener(type, ({ detail }) => heard.push([type, detail.message ?? detail.error]));
  client.open();
});

afterEach(() => {
  client.close();
  mock.timers.reset();
});

/** Lets what was promised come true: asking the server how it is takes a few turns. */
const settle = () => new Promise(resolve => setImmediate(resolve));

const state = () => states.at(-1).state;

test('the address is encoded, and as safe as the page it came with', () => {
  assert.equal(chatUrl('http://h:3000/chat-client.js', 'ann', 'lobby'), 'ws://h:3000/chat?username=ann&room=lobby');
  assert.equal(chatUrl('https://h/console.html', 'ann', 'lobby'), 'wss://h/chat?username=ann&room=lobby');
  assert.equal(chatUrl('https://h/x/', 'a b+c&d=é%', '#1'), 'wss://h/x/chat?username=a%20b%2Bc%26d%3D%C3%A9%25&room=%231');
  assert.doesNotThrow(() => chatUrl('https://h/', 'half an emoji \ud83d', 'lobby'));
});

test('names are judged as the server judges them', () => {
  assert.equal(nameProblem('ann'), null);
  assert.equal(nameProblem('😀'.repeat(64)), null);
  assert.match(nameProblem('😀'.repeat(65)), /longer than 64/);
  assert.match(nameProblem('__server'), /belongs to the server/);
  for (const unfit of ['a\tb', '\x7f', '\u0085', '\u2028', '\u202egnp.exe', '\u2066']) assert.match(nameProblem(unfit), /control/);
  assert.match(nameProblem(''), /empty/);
});

test('delays grow to a ceiling, and are spread', () => {
  const longest = [0, 1, 2, 3, 20].map(attempt => retryDelay(attempt, () => 1));
  assert.deepEqual(longest, [500, 1000, 2000, 4000, 30_000]);
  assert.equal(retryDelay(3, () => 0), 2000);
});

test('messages, notices and complaints are told apart, and nonsense is left alone', () => {
  network.last.opens();
  network.last.receives({ sender: 'bob', message: 'hi', seq: 1 });
  network.last.receives({ sender: '__server', message: 'cy joined' });
  network.last.receives({ sender: '__server', error: 'too long' });
  for (const nonsense of ['', 'not JSON', 'null', '[]', '{"sender":7}', '{"sender":"bob"}']) network.last.receives(nonsense);
  assert.deepEqual(heard, [['message', 'hi'], ['notice', 'cy joined'], ['complaint', 'too long']]);
});

test('it sends while there is a connection, and says so when there is none', () => {
  assert.equal(client.send('early'), false);
  network.last.opens();
  assert.equal(client.send('hi'), true);
  assert.deepEqual(network.last.sent, [{ message: 'hi' }]);
  network.last.closes(1006);
  assert.equal(client.send('late'), false);
});

test('a lost connection is tried again, later each time', () => {
  network.last.opens();
  const delays = [];
  for (let attempt = 0; attempt < 6; attempt++) {
    network.last.closes(1001, 'going away');
    assert.equal(state(), State.WAITING);
    delays.push(states.at(-1).retryAt - Date.now());
    mock.timers.tick(30_000);
    assert.equal(state(), State.CONNECTING);
  }
  assert.equal(network.sockets.length, 7);
  for (let attempt = 2; attempt < delays.length; attempt++) assert.ok(delays[attempt] > delays[attempt - 2], `${delays}`);
});

test('a connection that has held starts the delays anew, one that breaks at once does not', () => {
  for (let attempt = 0; attempt < 6; attempt++) {
    network.last.opens();
    network.last.closes(1013);
    mock.timers.tick(30_000);
  }
  network.last.opens();
  network.last.closes(1013);
  assert.ok(states.at(-1).retryAt - Date.now() > 10_000);
  mock.timers.tick(30_000);
  network.last.opens();
  mock.timers.tick(5_000);
  network.last.closes(1013);
  assert.ok(states.at(-1).retryAt - Date.now() <= 500);
});

test('who waits can be told to try at once', () => {
  network.last.opens();
  network.last.closes(1006);
  client.retryNow();
  assert.equal(state(), State.CONNECTING);
  client.retryNow();
  assert.equal(network.sockets.length, 2);
});

test('a well server that turns us away twice has refused us', async () => {
  network.last.closes(1006);
  await settle();
  assert.equal(state(), State.WAITING);
  mock.timers.tick(30_000);
  network.last.closes(1006);
  await settle();
  assert.equal(state(), State.REFUSED);
  mock.timers.tick(600_000);
  assert.equal(network.sockets.length, 2);
});

test('a server that is away has refused nobody', async () => {
  network.well = false;
  for (let attempt = 0; attempt < 5; attempt++) {
    network.last.closes(1006);
    await settle();
    assert.equal(state(), State.WAITING);
    mock.timers.tick(30_000);
  }
});

test('whoever was let in once goes on trying', async () => {
  network.last.opens();
  for (let attempt = 0; attempt < 5; attempt++) {
    network.last.closes(1006);
    await settle();
    assert.equal(state(), State.WAITING);
    mock.timers.tick(30_000);
  }
});

test('1008 ends it, with the reason', () => {
  network.last.opens();
  network.last.closes(1008, 'be nice');
  assert.deepEqual(states.at(-1), { state: State.REFUSED, code: 1008, reason: 'be nice' });
});

test('a handshake that hangs is given up', () => {
  const hanging = network.last;
  mock.timers.tick(15_000);
  assert.equal(state(), State.WAITING);
  hanging.opens();
  assert.equal(state(), State.WAITING);
});

test('after close() nothing happens any more', () => {
  const socket = network.last;
  socket.opens();
  client.close();
  socket.receives({ sender: 'bob', message: 'hi' });
  socket.closes(1000);
  mock.timers.tick(600_000);
  assert.equal(state(), State.CLOSED);
  assert.deepEqual(heard, []);
  assert.equal(network.sockets.length, 1);
});
