/** The protocol client by itself: no browser, no server, and a clock that the test turns. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { Network, settle } from './network.mjs';

const module = await import('../../www/chat-client.js');
const { ChatClient, Fate, State, SUBPROTOCOL, chatUrl, countCharacters, nameProblem, retryDelay } = module;

let network, client, states, heard;

beforeEach(() => {
  mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  network = new Network();
  make({});
});

/** A client, opened, in place of the one before. */
function make(options) {
  client?.close();
  client = new ChatClient({ username: 'ann', base: 'http://example.org/', network, ...options });
  states = [];
  heard = [];
  client.addEventListener('state', ({ detail }) => states.push(detail));
  for (const type of ['welcome', 'message', 'reset', 'delete', 'moderation', 'ack', 'presence', 'typing', 'error']) {
    client.addEventListener(type, ({ detail }) => { if (type !== 'welcome') heard.push([type, detail]); });
  }
  client.open();
}

const said = (seq, message = `m${seq}`, sender = 'bob') => ({ type: 'message', sender, message, seq, time: '2026-01-02T03:04:05.678Z' });
const fates = () => client.pending.map(({ message, fate }) => [message, fate]);
const words = () => heard.filter(([type]) => type === 'message').map(([, { message }]) => message);

afterEach(() => {
  client.close();
  mock.timers.reset();
});

const state = () => states.at(-1).state;

test('the address is encoded, and as safe as the page it came with', () => {
  assert.equal(chatUrl('http://h:3000/chat-client.js', { username: 'ann', room: 'lobby' }), 'ws://h:3000/chat?username=ann&room=lobby');
  assert.equal(chatUrl('https://h/console.html', { username: 'ann', room: 'lobby' }), 'wss://h/chat?username=ann&room=lobby');
  assert.equal(chatUrl('https://h/x/', { username: 'a b+c&d=é%', room: '#1' }), 'wss://h/x/chat?username=a%20b%2Bc%26d%3D%C3%A9%25&room=%231');
  assert.doesNotThrow(() => chatUrl('https://h/', { username: 'half an emoji \ud83d', room: 'lobby' }));
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

test('the types name all that there is, and no more', async () => {
  const types = await readFile(new URL('../../www/chat-client.d.ts', import.meta.url), 'utf8');
  const exported = [...types.matchAll(/^export (?:class|const|function) (\w+)/gm)].map(([, name]) => name);
  assert.deepEqual(exported.toSorted(), Object.keys(module).toSorted());
  const members = [...types.match(/^export class ChatClient [^]*?^}/m)[0].matchAll(/^  (?:readonly )?(\w+)[(:]/gm)].map(([, name]) => name);
  const real = [...Object.getOwnPropertyNames(Object.getPrototypeOf(client)), ...Object.keys(client)];
  assert.deepEqual([...new Set(members)].filter(name => !name.endsWith('EventListener')).toSorted(), real.toSorted());
});

test('characters are counted as people count', () => {
  assert.equal(countCharacters('aé😀'), 3);
});

test('it speaks the chat’s protocol, and is open when it is welcome', () => {
  assert.deepEqual(network.last.protocols, [SUBPROTOCOL]);
  network.last.opens();
  assert.equal(state(), State.CONNECTING);
  network.last.welcomes();
  assert.equal(state(), State.OPEN);
});

test('frames are told apart, and nonsense is left alone', () => {
  network.last.welcomes();
  const frames = [said(1), { type: 'delete', seq: 2, deleted: 1 }, { type: 'moderation', seq: 3, action: 'mute', user: 'bob' },
    { type: 'presence', joined: ['cy'], left: [], people: 2 }, { type: 'typing', user: 'bob' }, { type: 'error', code: 'bad_json', message: 'what?' }];
  for (const frame of frames) network.last.receives(frame);
  network.last.receives({ type: 'typing', user: 'ann' });
  for (const nonsense of ['', 'not JSON', 'null', '[]', '{"type":7}', '{"sender":"bob"}', '{"type":"constructor"}']) network.last.receives(nonsense);
  assert.deepEqual(heard, frames.map(frame => [frame.type, frame]));
});

test('a message without a sequence is none, and one that comes twice is heard once', () => {
  network.last.welcomes();
  for (const frame of [said(1), said(1), said(2), { ...said(3), seq: undefined }, { ...said(3), seq: '3' }, said(1)]) network.last.receives(frame);
  assert.deepEqual(words(), ['m1', 'm2']);
});

test('it goes on where the connection broke, past frames that it does not know', () => {
  make({ history: 50 });
  assert.equal(network.last.query.history, '50');
  assert.equal('since' in network.last.query, false);
  network.last.welcomes({ seq: 7 });
  network.last.receives(said(6));
  network.last.receives(said(7));
  network.last.receives({ type: 'poll', seq: 8 });
  network.last.closes(1013);
  client.retryNow();
  assert.deepEqual([network.last.query.since, network.last.query.epoch], ['8', 'e']);
  network.last.welcomes({ seq: 9 });
  network.last.receives(said(9));
  assert.deepEqual(words(), ['m6', 'm7', 'm9']);
});

test('a connection that breaks before the history came asks for it again', () => {
  make({ history: 50 });
  network.last.welcomes({ seq: 7 });
  network.last.closes(1006);
  client.retryNow();
  assert.equal('since' in network.last.query, false);
  make({});
  network.last.welcomes({ seq: 7 });
  network.last.closes(1006);
  client.retryNow();
  assert.equal(network.last.query.since, '7');
});

test('a reset begins anew', () => {
  network.last.welcomes();
  for (let seq = 1; seq <= 5; seq++) network.last.receives(said(seq));
  network.last.closes(1006);
  client.retryNow();
  network.last.welcomes({ epoch: 'f', seq: 2 });
  network.last.receives({ type: 'reset', epoch: 'f', seq: 1 });
  network.last.receives(said(2, 'new'));
  assert.deepEqual(words().slice(-1), ['new']);
  network.last.closes(1006);
  client.retryNow();
  assert.deepEqual([network.last.query.since, network.last.query.epoch], ['2', 'f']);
});

test('what is sent has an id of its own, and is pending until it is acknowledged', () => {
  network.last.welcomes();
  const [one, two] = [client.send('one'), client.send('two')];
  assert.notEqual(one, two);
  assert.ok(Buffer.byteLength(one) <= 64);
  assert.deepEqual(network.last.sent, [{ id: one, message: 'one' }, { id: two, message: 'two' }]);
  network.last.receives({ type: 'ack', id: one, seq: 1 });
  assert.deepEqual(fates(), [['two', Fate.SENT]]);
  network.last.receives(said(1, 'one', 'ann')); // the acknowledgement does not make it old
  assert.deepEqual(words(), ['one']);
});

test('what has no answer is sent again, in order and under its id, and what waited goes out', () => {
  client.send('early');
  assert.deepEqual(fates(), [['early', Fate.WAITING]]);
  network.last.welcomes();
  client.send('later');
  const { sent } = network.last;
  network.last.closes(1006);
  assert.deepEqual(fates(), [['early', Fate.WAITING], ['later', Fate.WAITING]]);
  client.send('away');
  client.retryNow();
  assert.deepEqual(network.last.sent, []);
  network.last.welcomes();
  assert.deepEqual(network.last.sent.map(({ message }) => message), ['early', 'later', 'away']);
  assert.deepEqual(network.last.sent.slice(0, 2), sent);
});

test('after ten minutes nobody knows whether it had arrived', () => {
  network.last.welcomes();
  client.send('old');
  client.send('echoed');
  network.last.closes(1006);
  network.well = false;
  mock.timers.tick(20_000);
  for (let minute = 0; minute < 10; minute++) mock.timers.tick(60_000);
  client.retryNow();
  network.last.welcomes({ seq: 1 });
  assert.deepEqual(network.last.sent, []);
  assert.deepEqual(fates(), [['old', Fate.DOUBTFUL], ['echoed', Fate.DOUBTFUL]]);
  network.last.receives(said(1, 'echoed', 'ann'));
  assert.deepEqual(fates(), [['old', Fate.DOUBTFUL]]);
  client.retry(client.pending[0].id);
  assert.deepEqual(network.last.sent.map(({ message }) => message), ['old']);
});

test('what a former page left is taken over', () => {
  make({ pending: [{ id: 'x-1', message: 'left', firstSentAt: Date.now() }] });
  network.last.welcomes();
  assert.deepEqual(network.last.sent, [{ id: 'x-1', message: 'left' }]);
});

test('a refused message fails with the reason; one that only came too fast is sent again', () => {
  network.last.welcomes();
  const [bad, fast] = [client.send('bad'), client.send('fast')];
  network.last.receives({ type: 'error', code: 'muted', message: 'you are muted', id: bad });
  network.last.receives({ type: 'error', code: 'too_fast', message: 'slowly', id: fast });
  assert.deepEqual(fates(), [['bad', Fate.FAILED], ['fast', Fate.WAITING]]);
  assert.equal(client.pending[0].error, 'you are muted');
  mock.timers.tick(500);
  assert.deepEqual(network.last.sent.at(-1), { id: fast, message: 'fast' });
  client.discard(bad);
  assert.deepEqual(fates(), [['fast', Fate.SENT]]);
});

test('a connection without an answer is replaced, one on which something comes is not', () => {
  network.last.welcomes();
  client.send('hello?');
  mock.timers.tick(5_000);
  network.last.receives({ type: 'typing', user: 'bob' });
  mock.timers.tick(5_000);
  assert.equal(network.sockets.length, 1);
  mock.timers.tick(10_000);
  assert.equal(network.sockets.length, 2);
  network.last.welcomes();
  assert.deepEqual(network.last.sent.map(({ message }) => message), ['hello?']);
});

test('typing is told at most every two seconds', () => {
  network.last.welcomes();
  client.typing();
  client.typing();
  mock.timers.tick(2_000);
  client.typing();
  assert.deepEqual(network.last.sent, [{ type: 'typing' }, { type: 'typing' }]);
});

test('a token is exchanged for a ticket before each connection', async () => {
  network.answers['/api/tickets'] = { status: 201, body: { ticket: 't-1', expires_in: 30 } };
  make({ token: () => 'secret' });
  await settle();
  const { path, method, headers, body } = network.asked.at(-1);
  assert.deepEqual([path, method, headers, body], ['/api/tickets', 'POST', { Authorization: 'Bearer secret', 'Content-Type': 'application/json' }, '{}']);
  assert.equal(network.last.query.ticket, 't-1');
  assert.equal('username' in network.last.query, false);
  assert.equal(network.last.url.includes('secret'), false);
  network.last.welcomes();
  network.last.closes(4401);
  network.answers['/api/tickets'].body = { ticket: 't-2' };
  client.retryNow();
  await settle();
  assert.equal(network.last.query.ticket, 't-2');
  network.last.closes(4401);
  network.answers['/api/tickets'] = { status: 401 };
  client.retryNow();
  await settle();
  assert.deepEqual(states.at(-1), { state: State.REFUSED, code: 401, reason: 'not signed in' });
});

test('a server without tokens lets a client with one in by its name', async () => {
  make({ token: 'secret' });
  await settle();
  assert.equal(network.last.query.username, 'ann');
});

test('who is turned away and can get a ticket uses it', async () => {
  network.answers['/api/tickets'] = { status: 201, body: { ticket: 't-1' } };
  network.last.closes(1006);
  await settle();
  assert.equal(network.last.query.ticket, 't-1');
  network.last.welcomes();
  network.last.closes(1006);
  client.retryNow();
  await settle();
  assert.equal(network.sockets.length, 3);
  assert.equal(network.last.query.ticket, 't-1');
});

test('history comes by before=', async () => {
  const page = { room: 'lobby', epoch: 'e', seq: 100, messages: [said(49), said(50)] };
  network.answers['/api/rooms/lobby/messages'] = { status: 200, body: page };
  assert.deepEqual(await client.historyBefore(51, 20), page);
  assert.equal(network.asked.at(-1).path, '/api/rooms/lobby/messages?before=51&limit=20');
  network.answers['/api/rooms/lobby/messages'].status = 500;
  await assert.rejects(client.historyBefore(51, 20), /HTTP 500/);
});

test('a lost connection is tried again, later each time', async () => {
  network.last.welcomes();
  const delays = [];
  for (let attempt = 0; attempt < 6; attempt++) {
    network.last.closes(1001, 'going away');
    await settle();
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
    network.last.welcomes();
    network.last.closes(1013);
    mock.timers.tick(30_000);
  }
  network.last.welcomes();
  network.last.closes(1013);
  assert.ok(states.at(-1).retryAt - Date.now() > 10_000);
  mock.timers.tick(30_000);
  network.last.welcomes();
  mock.timers.tick(5_000);
  network.last.closes(1013);
  assert.ok(states.at(-1).retryAt - Date.now() <= 500);
});

test('who waits can be told to try at once', () => {
  network.last.welcomes();
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
  network.last.welcomes();
  for (let attempt = 0; attempt < 5; attempt++) {
    network.last.closes(1006);
    await settle();
    assert.equal(state(), State.WAITING);
    mock.timers.tick(30_000);
  }
});

for (const status of [401, 403]) {
  test(`who is turned away and would get ${status} over HTTP is refused, were they let in before or not`, async () => {
    network.answers['/api/rooms/lobby/messages'] = { status };
    network.last.closes(1006);
    await settle();
    assert.deepEqual([state(), states.at(-1).code], [State.REFUSED, status]);
    client.open();
    network.last.welcomes();
    network.last.closes(1006);
    client.retryNow();
    network.last.closes(1006);
    await settle();
    assert.deepEqual([state(), states.at(-1).code], [State.REFUSED, status]);
  });
}

test('who comes back after being kicked, and is turned away, is refused and not tried for ever', async () => {
  network.last.welcomes();
  network.last.closes(4403, 'kicked');
  client.open();
  for (let attempt = 0; attempt < 2; attempt++) {
    network.last.closes(1006);
    await settle();
    mock.timers.tick(30_000);
  }
  assert.equal(state(), State.REFUSED);
});

test('a moderator’s wish is answered by its acknowledgement, or by what was wrong', async () => {
  network.last.welcomes({ rights: ['read', 'write', 'moderate'] });
  assert.deepEqual(client.rights, ['read', 'write', 'moderate']);
  const [good, bad, lost] = [client.moderate('delete', { seq: 7 }), client.moderate('mute', { user: 'bob', seconds: 60 }), client.moderate('kick', { user: 'bob' })];
  const ids = network.last.sent.map(({ id }) => id);
  assert.deepEqual(network.last.sent, [{ seq: 7, type: 'delete', id: ids[0] }, { user: 'bob', seconds: 60, type: 'mute', id: ids[1] }, { user: 'bob', type: 'kick', id: ids[2] }]);
  network.last.receives({ type: 'ack', id: ids[0], seq: 9 });
  network.last.receives({ type: 'error', code: 'forbidden', message: 'not permitted', id: ids[1] });
  network.last.closes(1006);
  assert.equal(await good, 9);
  await assert.rejects(bad, { message: 'not permitted', code: 'forbidden' });
  await assert.rejects(lost, /connection was lost/);
  await assert.rejects(client.moderate('kick', { user: 'bob' }), /no connection/);
  assert.deepEqual(heard, []);
});

for (const code of [1008, 4403]) {
  test(`${code} ends it, with the reason, until it is opened again`, () => {
    network.last.welcomes();
    network.last.closes(code, 'be nice');
    assert.deepEqual(states.at(-1), { state: State.REFUSED, code, reason: 'be nice' });
    mock.timers.tick(600_000);
    assert.equal(network.sockets.length, 1);
    client.open();
    assert.equal(state(), State.CONNECTING);
  });
}

test('a handshake that hangs is given up', () => {
  const hanging = network.last;
  mock.timers.tick(15_000);
  assert.equal(state(), State.WAITING);
  hanging.welcomes();
  assert.equal(state(), State.WAITING);
});

test('after close() nothing happens any more', () => {
  const socket = network.last;
  socket.welcomes();
  client.close();
  socket.receives(said(1));
  socket.closes(1000);
  mock.timers.tick(600_000);
  assert.equal(state(), State.CLOSED);
  assert.deepEqual(heard, []);
  assert.equal(network.sockets.length, 1);
});
