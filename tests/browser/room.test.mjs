/** What the page knows of a room, by itself: with a client that does as the test says. */
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { Room } from '../../www/chat-room.js';

class Client extends EventTarget {
  username = 'ann';
  room = 'lobby';
  state = 'open';
  epoch = null;
  pending = [];
  pages = [];

  tell(type, detail = null) { this.dispatchEvent(new CustomEvent(type, { detail })); }
  welcomes(facts) {
    this.epoch = facts.epoch ?? 'e';
    this.tell('welcome', { members: ['ann'], people: 1, epoch: this.epoch, seq: 0, ...facts });
  }
  hears(seq, sender = 'bob', message = `m${seq}`) { this.tell('message', said(seq, sender, message)); }
  async newest() { return { epoch: this.epoch ?? 'e', seq: this.seq, messages: [] }; }
  async historyBefore(before) {
    this.asked = before;
    const page = this.pages.shift();
    if (!page) throw new Error('no answer');
    return { epoch: this.epoch, messages: page };
  }
}

const said = (seq, sender = 'bob', message = `m${seq}`) => ({ type: 'message', sender, message, seq, time: '2026-01-02T03:04:05.678Z' });

let client, room, told;

function make(readMark) {
  client = new Client();
  room = new Room(client, readMark);
  told = [];
  for (const type of ['append', 'prepend', 'replace', 'update', 'trim', 'pending', 'unread', 'said']) {
    room.addEventListener(type, ({ detail }) => told.push([type, detail]));
  }
}

beforeEach(() => make(null));

const toldOf = type => told.filter(([each]) => each === type).map(([, detail]) => detail);
const seqs = () => room.entries.map(({ seq }) => seq);

test('a room that one comes to for the first time has nothing unread, what is said then is', () => {
  client.welcomes({ seq: 2 });
  client.hears(1);
  client.hears(2);
  assert.equal(room.unread, 0);
  client.hears(3);
  client.hears(4, 'ann');
  assert.equal(room.unread, 1);
  assert.deepEqual(toldOf('said').map(({ text }) => text), ['m3']);
  room.markRead();
  assert.equal(room.unread, 0);
  assert.deepEqual(room.readMark, { epoch: 'e', seq: 4 });
});

test('what was said since the last visit is unread, also what is older than the first page', () => {
  make({ epoch: 'e', seq: 10 });
  client.welcomes({ seq: 100 });
  for (let seq = 51; seq <= 100; seq++) client.hears(seq);
  assert.equal(room.unread, 90);
  assert.equal(room.divider, 10);
  assert.deepEqual(toldOf('said'), []);
});

test('another epoch makes everything new', () => {
  make({ epoch: 'old', seq: 10 });
  client.welcomes({ seq: 2 });
  client.hears(1);
  client.hears(2);
  assert.equal(room.unread, 2);
});

test('the read mark never goes back', () => {
  make({ epoch: 'e', seq: 10 });
  client.welcomes({ seq: 10 });
  room.markRead();
  assert.deepEqual(room.readMark, { epoch: 'e', seq: 10 });
});

test('what one says oneself is read, unless something before it is not', () => {
  client.welcomes({ seq: 0 });
  client.hears(1, 'ann');
  assert.deepEqual(room.readMark, { epoch: 'e', seq: 1 });
  client.hears(2);
  client.hears(3, 'ann');
  assert.deepEqual([room.readMark.seq, room.unread], [1, 1]);
});

test('a room without a connection is asked how much is new, and nothing is counted twice', async () => {
  make({ epoch: 'e', seq: 10 });
  client.state = 'closed';
  client.seq = 14;
  await room.peek();
  assert.equal(room.unread, 4);
  client.seq = 16;
  await room.peek();
  assert.equal(room.unread, 6);
  client.state = 'open';
  client.welcomes({ seq: 16 });
  for (let seq = 11; seq <= 16; seq++) client.hears(seq);
  assert.equal(room.unread, 6);
  room.markRead();
  client.state = 'closed';
  client.newest = async () => { throw new Error('no answer'); };
  await room.peek();
  assert.equal(room.unread, 0);
});

const moderation = (seq, action, user, facts = {}) => ({ type: 'moderation', action, user, by: 'eve', message: 'eve did', seq, time: new Date().toISOString(), ...facts });

test('what moderators do is told, of oneself as well, and what is over is over', () => {
  client.rights = ['read', 'write', 'moderate'];
  client.welcomes({ seq: 4 });
  for (const frame of [moderation(1, 'mute', 'bob', { seconds: 600 }), moderation(2, 'ban', 'cy', { seconds: 60, time: '2026-01-02T03:04:05.678Z' }),
    moderation(3, 'mute', 'ann', { seconds: 3600 }), moderation(4, 'ban', undefined, { seconds: 60 })]) client.tell('moderation', frame);
  assert.deepEqual(room.entries.map(({ sender, text, about }) => [sender, text, about]), [
    ['bob', 'was muted by eve for 10 minutes', 'bob'], ['cy', 'was banned by eve for 1 minute', 'cy'],
    ['You', 'were muted by eve for 1 hour', null], ['', 'eve did', undefined]]);
  assert.deepEqual([room.isUnder('mute', 'bob'), room.isUnder('ban', 'bob'), room.isUnder('ban', 'cy')], [true, false, false]);
  assert.equal(room.mutedUntil, 0, 'the welcome, which came later, said nothing of it');
  client.tell('moderation', moderation(5, 'unmute', 'bob'));
  assert.equal(room.isUnder('mute', 'bob'), false);
  client.tell('moderation', moderation(6, 'mute', 'ann', { seconds: 60 }));
  assert.ok(room.mutedUntil > Date.now() + 59_000);
  client.welcomes({ seq: 6, muted_seconds: 30 });
  assert.ok(room.mutedUntil < Date.now() + 31_000);
  client.tell('moderation', moderation(7, 'unmute', 'ann'));
  assert.equal(room.mutedUntil, 0);
  assert.equal(room.removal, null);
  client.tell('moderation', moderation(8, 'kick', 'ann'));
  assert.equal(room.removal.by, 'eve');
  client.tell('state', { state: 'open' });
  assert.equal(room.removal, null);
});

test('what is left of a deleted message stays where it was, whatever comes first', async () => {
  client.welcomes({ seq: 100 });
  client.tell('deleted', { type: 'deleted', seq: 99, sender: '__server', message: 'message deleted', time: '2026-01-02T03:04:05.678Z' });
  client.hears(100);
  client.tell('delete', { type: 'delete', seq: 101, deleted: 99 });
  client.tell('delete', { type: 'delete', seq: 102, deleted: 100 });
  client.tell('delete', { type: 'delete', seq: 103, deleted: 97 });
  client.pages = [[said(97), said(98)]];
  await room.loadOlder();
  assert.deepEqual(room.entries.map(({ seq, kind, text, deleted }) => [seq, kind, text, deleted]),
    [[97, 'message', '', true], [98, 'message', 'm98', false], [99, 'notice', 'A message was deleted', false], [100, 'message', '', true]]);
});

test('older pages go in front, and the first one is known', async () => {
  client.welcomes({ seq: 100 });
  client.hears(99);
  client.hears(100);
  client.pages = [[said(97), said(98)], [{ type: 'delete', seq: 95, deleted: 94 }, { type: 'delete', seq: 96, deleted: 1 }], [said(94)], []];
  assert.equal(await room.loadOlder(), true);
  assert.deepEqual(seqs(), [97, 98, 99, 100]);
  await room.loadOlder();
  assert.equal(room.complete, false);
  await room.loadOlder();
  assert.equal(client.asked, 95);
  assert.equal(room.entries[0].deleted, true);
  await room.loadOlder();
  assert.equal(room.complete, true);
  assert.deepEqual(toldOf('prepend').map(({ count }) => count), [2, 0, 1, 0]);
});

test('a page that can’t be had, or comes after a reset, changes nothing', async () => {
  client.welcomes({ seq: 100 });
  client.hears(100);
  assert.equal(await room.loadOlder(), false);
  client.pages = [[said(99)]];
  const loading = room.loadOlder();
  client.epoch = 'f';
  client.tell('reset', { epoch: 'f', seq: 5 });
  client.hears(6);
  await loading;
  assert.deepEqual(seqs(), [6]);
});

test('one’s own message that comes back is no longer pending, until a break shows that it was a guess', () => {
  client.welcomes({});
  client.pending = [{ id: 'a', message: 'hi', fate: 'sent' }, { id: 'b', message: 'hi', fate: 'sent' }];
  client.hears(1, 'ann', 'hi');
  assert.deepEqual(room.pending.map(({ id }) => id), ['b']);
  client.tell('state', { state: 'waiting' });
  assert.deepEqual(room.pending.map(({ id }) => id), ['a', 'b']);
});

test('the oldest are forgotten when there are very many, unless someone reads there', () => {
  client.welcomes({});
  room.mayTrim = false;
  for (let seq = 1; seq <= 20_001; seq++) client.hears(seq);
  assert.equal(room.entries.length, 20_001);
  room.mayTrim = true;
  client.hears(20_002);
  assert.deepEqual(toldOf('trim'), [{ count: 4_000 }]);
  assert.equal(room.entries[0].seq, 4_001);
  assert.equal(room.complete, false);
  assert.equal(room.indexOf(4_002), 1);
});
