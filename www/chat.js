/** The chat page: asks who and where, then ties the rooms, the conversation and the composer together. */
import { ChatClient, State, nameProblem } from './chat-client.js';
import { Composer } from './chat-composer.js';
import { ConnectionView, reasonNotToWrite, refusalText } from './chat-connection.js';
import { ChatLog } from './chat-log.js';
import { Moderation } from './chat-moderation.js';
import { Announcer, Notifier, showTitle } from './chat-notify.js';
import { Panels, PeopleList, RoomList, roomHref } from './chat-panels.js';
import { Room } from './chat-room.js';
import { Rooms } from './chat-rooms.js';
import { avatar } from './chat-text.js';
import { byId, eachFrame, keep, keepForGood, make, parsed, plural, recall, recallForGood } from './dom.js';

const NAME_KEY = 'switchboard.name';
const DEFAULT_ROOM = 'lobby';
const HISTORY = 50;
const MOST_CONNECTIONS = 10;
const PEEK_EVERY = 20_000;
const SAVE_AFTER = 500;
const COMPLAINT_LASTS = 8_000;
const STALE_AFTER = 20_000;
const MOST_TYPISTS = 3;
const log = new ChatLog({
  log: byId('log'), outbox: byId('outbox'), scroller: byId('scroller'), newer: byId('newer'), top: byId('top'), empty: byId('empty'),
  onFollow: () => seen(),
});
const roomList = new RoomList({ list: byId('room-list'), onChoose: room => openRoom(room) });
const peopleList = new PeopleList();
const panels = new Panels();
const announcer = new Announcer();
const notifier = new Notifier({ button: byId('notify'), onChoose: room => openRoom(room) });
const connection = new ConnectionView();
const moderation = new Moderation({ roomShown: () => active });
const composer = new Composer({ onSay: text => say(text), onTyping: () => active.client.typing() });

let myName = '';
let rooms = new Rooms({ most: MOST_CONNECTIONS });
let active = null; // the room that is shown
let entered = false; // into the first room: the form is gone
let saving = null;

/* Joining and leaving */

/** The room that the address leads to: ?room=R, or #room=R. */
function requestedRoom() {
  for (const text of [location.hash.slice(1), location.search]) {
    const room = new URLSearchParams(text).get('room')?.normalize().trim();
    if (room) return room;
  }
  return null;
}

function showForm({ name, room, trouble = '' }) {
  entered = false;
  byId('chat').hidden = true;
  byId('lobby').hidden = false;
  byId('name').value = name;
  byId('room').value = room;
  byId('enter').textContent = 'Join';
  showTitle(null);
  showTrouble('join-error', trouble);
  const field = name === '' || trouble ? byId('name') : byId('room');
  field.focus();
  field.select();
}

function showTrouble(id, text, field = null) {
  // The same words again would only be read out again.
  if (byId(id).textContent !== text) byId(id).textContent = text;
  byId(id).hidden = text === '';
  for (const input of byId(id).parentElement.querySelectorAll('input')) input.removeAttribute('aria-invalid');
  field?.setAttribute('aria-invalid', 'true');
  field?.focus();
}

function submitJoin(event) {
  event.preventDefault();
  const name = byId('name').value.normalize().trim();
  const room = byId('room').value.normalize().trim();
  if (name === '') return showTrouble('join-error', 'Please enter your name.', byId('name'));
  if (room === '') return showTrouble('join-error', 'Please enter a room.', byId('room'));
  signOut(); // still trying, with another name perhaps
  signIn(name, room);
}

/** Asks for the one room first; the others are joined when it has let us in. */
function signIn(name, roomName) {
  myName = name;
  rooms = new Rooms({ most: MOST_CONNECTIONS, visited: keptNames('visited') });
  active = addRoom(roomName);
  byId('enter').textContent = 'Joining…';
  showTrouble('join-error', '');
  active.client.open();
}

/** The server has let us in for the first time. */
function enter() {
  entered = true;
  const first = active;
  myName = first.client.username;
  keep(NAME_KEY, myName);
  keepForGood(NAME_KEY, myName);
  byId('lobby').hidden = true;
  byId('chat').hidden = false;
  byId('my-name').textContent = myName;
  byId('my-avatar').replaceChildren(avatar(myName));
  for (const name of keptNames('rooms')) if (!rooms.find(name)) addRoom(name);
  rooms.sort(keptNames('rooms'));
  active = null;
  openRoom(first, { remember: 'replace' });
  peekEverywhere(rooms);
}

async function peekEverywhere(all) {
  for (const room of all.asleep) if (all === rooms) await room.peek();
}

function signOut() {
  save();
  rooms.close();
  moderation.close();
  active = null;
  log.show(null);
  peopleList.show(null);
  announcer.clear();
  connection.hide();
}

function leaveForm() {
  const room = active.name;
  const name = myName;
  panels.close();
  signOut();
  keep(NAME_KEY, '');
  showForm({ name, room });
}

/* The rooms */

const storeKey = (what, room = '') => `switchboard.${what}/${encodeURIComponent(myName)}/${encodeURIComponent(room)}`;
const keptNames = what => parsed(recallForGood(storeKey(what)), []).filter(name => nameProblem(String(name)) === null);

function addRoom(name) {
  const client = new ChatClient({
    username: myName, room: name, history: HISTORY, base: import.meta.url, // behind a proxy, perhaps in a folder
    pending: parsed(recall(storeKey('outbox', name)), []),
  });
  const room = new Room(client, parsed(recallForGood(storeKey('read', name)), null));
  const on = (type, act) => room.addEventListener(type, ({ detail }) => act(room, detail));
  on('state', stateChanged);
  on('unread', unreadChanged);
  on('said', somethingSaid);
  on('pending', savePending);
  on('complaint', complaintCame);
  on('typing', it => { if (it === active) showTyping(); });
  on('may', it => { if (it === active) showPermission(); });
  return rooms.add(room);
}

/** `remember` says what the browser's history makes of it: push or replace. */
function openRoom(room, { remember = 'push' } = {}) {
  panels.close();
  if (room !== active) {
    active?.setDivider(null);
    active = room;
    if (room.unread > 0 || room.state === State.CLOSED && room.entries.length > 0) room.setDivider(room.readTo);
    rooms.visit(room);
    moderation.close();
    announcer.clear();
    byId('room-name').textContent = room.name;
    byId('scroller').setAttribute('aria-label', `Messages in ${room.name}`);
    byId('draft').placeholder = `Message ${room.name}`;
    history[`${remember}State`](null, '', roomHref(room.name));
    log.show(room);
    peopleList.show(room);
    composer.restore(storeKey('draft', room.name));
    showComplaint('');
    showTyping();
    connection.show(room);
    showPermission();
    seen();
  }
  save();
  showLists();
  if (!byId('room-dialog').open) composer.focus();
}

function joinRoom(name, options) {
  openRoom(rooms.find(name) ?? addRoom(name), options);
}

/** Leaves the room that is shown, and the chat with the last one. */
function leave() {
  const left = active;
  const next = rooms.beside(left, left === rooms.all.at(-1) ? -1 : 1);
  rooms.remove(left);
  if (next === left) return leaveForm();
  rooms.connect();
  openRoom(next, { remember: 'replace' });
}

function followAddress() {
  const name = requestedRoom();
  if (!entered || name === null || name === active.name || nameProblem(name)) return;
  joinRoom(name, { remember: 'replace' });
}

function showNextRoom(step) {
  openRoom(rooms.beside(active, step));
}

const showLists = eachFrame(() => {
  if (!active) return;
  roomList.show(rooms.all, active);
  const { unread } = rooms;
  byId('elsewhere').hidden = unread === 0;
  byId('open-rooms').setAttribute('aria-label', unread > 0 ? `Rooms, ${plural(unread, 'unread message')}` : 'Rooms');
});

/* The dialog */

async function showDialog() {
  showTrouble('room-error', '');
  byId('new-room').value = '';
  byId('room-dialog').showModal();
  byId('new-room').focus();
  showOpenRooms([]);
  try {
    const response = await fetch('api/rooms', { cache: 'no-store', signal: AbortSignal.timeout(5000) });
    if (response.ok) showOpenRooms((await response.json()).rooms);
  } catch { /* then there are none to choose from */ }
}

function showOpenRooms(all) {
  const others = all.filter(({ name }) => !rooms.find(name)).sort((a, b) => b.members - a.members).slice(0, 50);
  byId('open-title').hidden = others.length === 0;
  byId('open-rooms-list').replaceChildren(...others.map(openRoomItem));
}

function openRoomItem({ name, members }) {
  const button = make('button', { className: 'room-link', type: 'button' },
    make('bdi', { className: 'room-label' }, name),
    make('span', { className: 'hint small-print' }, plural(members, 'connection')));
  button.addEventListener('click', () => chooseRoom(name));
  return make('li', {}, button);
}

function submitRoom(event) {
  event.preventDefault();
  const name = byId('new-room').value.normalize().trim();
  const problem = nameProblem(name);
  if (name === '') showTrouble('room-error', 'Please enter a room.', byId('new-room'));
  else if (problem) showTrouble('room-error', `This can’t be a room’s name: ${problem}.`, byId('new-room'));
  else chooseRoom(name);
}

function chooseRoom(name) {
  byId('room-dialog').close();
  joinRoom(name);
}

/* The connection */

function stateChanged(room, facts) {
  if (!entered) return room === active && stateBeforeEntering(facts);
  showLists();
  if (room !== active) return;
  connection.show(room);
  showPermission();
}

function showPermission() {
  composer.bar(reasonNotToWrite(active));
}

function stateBeforeEntering(facts) {
  const { state } = facts;
  // The room has to hear of its welcome first.
  if (state === State.OPEN) queueMicrotask(() => { if (active && !entered) enter(); });
  else if (state === State.WAITING) showTrouble('join-error', 'The server cannot be reached. Trying again…');
  else if (state === State.REFUSED) refused(facts);
}

function refused(facts) {
  const room = active.name;
  const trouble = refusalText(facts, myName, room);
  signOut();
  showForm({ name: myName, room, trouble });
}

function tryNow() {
  if (active.state === State.REFUSED) active.client.open();
  for (const { client } of rooms.all) client.retryNow();
}

/** Back at the page, or on the network: no waiting then, and no trust in connections that have been silent. */
function wake({ type }) {
  for (const { client, facts } of rooms.all) {
    client.retryNow();
    if (entered && facts.code === 401 && client.state === State.REFUSED) client.open(); // signed in again meanwhile, perhaps
    if (type === 'online' && Date.now() - client.heardAt > STALE_AFTER) client.reconnect();
  }
}

/* What comes in */

function somethingSaid(room, entry) {
  notifier.tell(room, entry);
  if (room === active && !document.hidden) announcer.add(entry);
}

/** What is new comes after this. */
function lookAway() {
  if (active && log.following) active.setDivider(active.lastSeq);
}

function seen() {
  if (entered && active && !document.hidden && log.following) active.markRead();
  if (entered) showUnread();
}

function unreadChanged(room) {
  if (room === active) seen();
  else showUnread();
  showLists();
  saving ??= setTimeout(save, SAVE_AFTER);
}

function showUnread() {
  showTitle(active, rooms.unread);
}

function showTyping() {
  const names = active.typing;
  const shown = names.slice(0, MOST_TYPISTS).flatMap((name, index) => [...index > 0 ? [', '] : [], make('bdi', {}, name)]);
  const more = names.length > MOST_TYPISTS ? ' and others' : '';
  const dots = make('span', { className: 'dots' }, make('span'), make('span'), make('span'));
  byId('typing').replaceChildren(...names.length === 0 ? [] : [dots, ...shown, `${more} ${names.length === 1 ? 'is' : 'are'} typing`]);
}

let complaintTimer = null;

function complaintCame(room, { message, id }) {
  if (room === active && !id) showComplaint(`The server did not take that: ${message}`);
}

function showComplaint(text) {
  clearTimeout(complaintTimer);
  byId('complaint').textContent = text;
  byId('complaint').hidden = text === '';
  if (text !== '') complaintTimer = setTimeout(() => showComplaint(''), COMPLAINT_LASTS);
}

/* What goes out, and what is kept */

function say(text) {
  active.setDivider(null);
  active.client.send(text);
  log.follow();
}

function savePending(room) {
  const rest = room.client.pending.map(({ id, message, firstSentAt }) => ({ id, message, firstSentAt }));
  keep(storeKey('outbox', room.name), rest.length > 0 ? JSON.stringify(rest) : '');
}

function save() {
  clearTimeout(saving);
  saving = null;
  if (!entered) return;
  keepForGood(storeKey('rooms'), JSON.stringify(rooms.names));
  keepForGood(storeKey('visited'), JSON.stringify(rooms.visited));
  for (const room of rooms.all) if (room.readMark) keepForGood(storeKey('read', room.name), JSON.stringify(room.readMark));
}

async function copyLink() {
  await navigator.clipboard.writeText(location.href);
  byId('copy-link').textContent = 'Copied';
  setTimeout(() => { byId('copy-link').textContent = 'Copy link'; }, 2000);
}

function shortcut(event) {
  if (!entered) return;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
    event.preventDefault();
    if (!byId('room-dialog').open) showDialog();
  } else if (event.altKey && !byId('room-dialog').open && ['ArrowUp', 'ArrowDown'].includes(event.key)) {
    event.preventDefault();
    showNextRoom(event.key === 'ArrowUp' ? -1 : 1);
  }
}

byId('join').addEventListener('submit', submitJoin);
byId('leave').addEventListener('click', leave);
byId('sign-out').addEventListener('click', leaveForm);
byId('retry').addEventListener('click', tryNow);
byId('add-room').addEventListener('click', showDialog);
byId('cancel-room').addEventListener('click', () => byId('room-dialog').close());
byId('room-form').addEventListener('submit', submitRoom);
byId('copy-link').addEventListener('click', copyLink);
byId('copy-link').hidden = !navigator.clipboard; // browsers give it to secure pages only
document.addEventListener('keydown', shortcut);
document.addEventListener('visibilitychange', event => {
  if (document.hidden) return lookAway();
  if (active?.divider >= active?.lastSeq) active.setDivider(null);
  seen();
  wake(event);
});
for (const type of ['online', 'focus']) window.addEventListener(type, wake);
setInterval(() => { if (entered) rooms.peek(); }, PEEK_EVERY);
window.addEventListener('pagehide', save);
window.addEventListener('popstate', followAddress);

const knownName = recall(NAME_KEY);
showForm({ name: knownName || recallForGood(NAME_KEY), room: requestedRoom() ?? DEFAULT_ROOM });
if (knownName) signIn(knownName, requestedRoom() ?? DEFAULT_ROOM);
