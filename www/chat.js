/** The chat page: asks who and where, then ties the connection, the conversation and the composer together. */
import { ChatClient, LONGEST_MESSAGE, LONGEST_NAME, SERVER, State, countCharacters, nameProblem } from './chat-client.js';
import { ChatLog } from './chat-log.js';
import { Outbox } from './chat-outbox.js';
import { byId, keep, plural, recall } from './dom.js';

const NAME_KEY = 'switchboard.name';
const DEFAULT_ROOM = 'lobby';
const STATE_WORDS = {
  [State.CONNECTING]: 'Connecting…',
  [State.OPEN]: 'Connected',
  [State.WAITING]: 'Reconnecting',
  [State.REFUSED]: 'Refused',
  [State.CLOSED]: '',
};

const log = new ChatLog({ log: byId('log'), scroller: byId('scroller'), newer: byId('newer') });

/** The conversation that is going on, or null while the form is shown: { name, room, client, outbox, unread, interrupted }. */
let talk = null;
let countdown = null;

/* Joining and leaving */

function requestedRoom() {
  return new URLSearchParams(location.search).get('room')?.trim() || DEFAULT_ROOM;
}

function showForm({ name, room, trouble = '' }) {
  byId('chat').hidden = true;
  byId('lobby').hidden = false;
  byId('name').value = name;
  byId('room').value = room;
  document.title = 'Switchboard';
  showTrouble(trouble);
  const field = name === '' || trouble ? byId('name') : byId('room');
  field.focus();
  field.select();
}

function showTrouble(text, field = null) {
  // The same words again would only be read out again.
  if (byId('join-error').textContent !== text) byId('join-error').textContent = text;
  byId('join-error').hidden = text === '';
  for (const input of [byId('name'), byId('room')]) input.removeAttribute('aria-invalid');
  field?.setAttribute('aria-invalid', 'true');
  field?.focus();
}

function submitJoin(event) {
  event.preventDefault();
  const name = byId('name').value.trim();
  const room = byId('room').value.trim();
  if (name === '') return showTrouble('Please enter your name.', byId('name'));
  if (room === '') return showTrouble('Please enter a room.', byId('room'));
  if (talk) endTalk(); // still trying, with another name perhaps
  join(name, room);
}

function join(name, room) {
  const client = new ChatClient({ username: name, room });
  talk = { name, room, client, outbox: null, unread: 0, interrupted: false };
  client.addEventListener('state', event => stateChanged(event.detail));
  client.addEventListener('message', event => messageCame(event.detail));
  client.addEventListener('notice', event => noticeCame(event.detail));
  client.addEventListener('complaint', event => complaintCame(event.detail));
  byId('enter').textContent = 'Joining…';
  showTrouble('');
  client.open();
}

/** The server has let us in for the first time. */
function enterRoom() {
  const { name, room, client } = talk;
  keep(NAME_KEY, name);
  history.replaceState(null, '', `?${new URLSearchParams({ room })}`);
  byId('lobby').hidden = true;
  byId('chat').hidden = false;
  byId('room-name').textContent = room;
  byId('my-name').textContent = name;
  byId('scroller').setAttribute('aria-label', `Messages in ${room}`);
  log.clear();
  showEmpty(true);
  talk.outbox = new Outbox({
    list: byId('outbox'),
    say: text => client.send(text),
    storageKey: `switchboard.outbox.${room}`,
    onDoubt: since => { if (client.heardAt < since) client.reconnect(); },
  });
  restoreDraft();
  showTitle();
  byId('draft').focus();
}

function leave() {
  const { name, room } = talk;
  endTalk();
  showForm({ name, room });
}

function endTalk() {
  const { client, outbox } = talk;
  talk = null;
  client.close();
  outbox?.close();
  clearInterval(countdown);
  byId('enter').textContent = 'Join';
}

function refused({ code, reason }) {
  const { name, room } = talk;
  const byPolicy = code ? `The server closed the connection${reason ? `: ${reason}` : ''}.` : null;
  endTalk();
  showForm({ name, room, trouble: byPolicy ?? refusalText(name, room) });
}

/** Browsers do not say why a handshake failed, but the rules for names are known. */
function refusalText(name, room) {
  const problem = nameProblem(name);
  if (problem) return `The server refused the name “${name}”: ${problem}.`;
  const roomProblem = nameProblem(room);
  if (roomProblem) return `The server refused the room “${room}”: ${roomProblem}.`;
  return `The server did not let “${name}” into “${room}”. Names have at most ${LONGEST_NAME} characters; `
    + 'the server may also be full, or not allow this page. Try another name, or try again later.';
}

/* The connection */

function stateChanged({ state, retryAt, code, reason }) {
  if (!talk) return;
  if (state === State.REFUSED) return refused({ code, reason });
  if (state === State.OPEN && !talk.outbox) enterRoom();
  if (!talk.outbox) return stateBeforeEntering(state);
  showState(state);
  showOutage(state, retryAt);
  if (state === State.OPEN) connectionIsBack();
  else connectionIsGone();
}

function stateBeforeEntering(state) {
  if (state === State.WAITING) showTrouble('The server cannot be reached. Trying again…');
}

function showState(state) {
  // One word for the whole of an outage: it is read out, and each try would be news otherwise.
  const words = STATE_WORDS[talk.interrupted && state === State.CONNECTING ? State.WAITING : state];
  byId('state').dataset.state = state;
  if (byId('state').textContent !== words) byId('state').textContent = words;
}

function connectionIsBack() {
  if (talk.interrupted) tell('Connected again. What was said in between is not shown here.');
  talk.interrupted = false;
  talk.outbox.connected();
}

function connectionIsGone() {
  talk.outbox.disconnected();
  if (!talk.interrupted) tell('The connection was lost.');
  talk.interrupted = true;
}

function showOutage(state, retryAt) {
  clearInterval(countdown);
  byId('outage').hidden = state === State.OPEN;
  if (state === State.OPEN) return;
  const show = () => { byId('outage-text').textContent = outageText(state, retryAt); };
  show();
  byId('retry').disabled = state !== State.WAITING;
  if (state === State.WAITING) countdown = setInterval(show, 1000);
}

function outageText(state, retryAt) {
  if (state !== State.WAITING) return 'Connecting…';
  const cause = navigator.onLine ? 'No connection.' : 'You are offline.';
  const seconds = Math.max(1, Math.ceil((retryAt - Date.now()) / 1000));
  return `${cause} Trying again in ${seconds} s`;
}

/* What comes in */

function messageCame({ sender, message, time }) {
  const own = sender === talk.name;
  if (own) talk.outbox.heard(message);
  log.add({ kind: own ? 'own' : 'other', sender, text: message, time: timeFrom(time) });
  showEmpty(false);
  if (!own) countUnread();
}

function noticeCame({ message, time }) {
  const [, who, what] = message.match(/^(.*) (joined|left)$/su) ?? [null, '', message];
  const sender = who === talk.name ? 'You' : who;
  log.add({ kind: 'notice', sender, text: what, time: timeFrom(time) });
  if (who !== talk.name) showEmpty(false);
}

function complaintCame({ error }) {
  log.add({ kind: 'complaint', sender: '', text: `The server did not take your message: ${error}`, time: new Date() });
  const text = talk.outbox.returned();
  if (text !== null && byId('draft').value === '') setDraft(text);
}

/** Something the page itself has to say, between the messages where it belongs. */
function tell(text) {
  log.add({ kind: 'notice', sender: '', text, time: new Date() });
}

function timeFrom(text) {
  const time = new Date(text);
  return Number.isNaN(time.valueOf()) ? new Date() : time;
}

function showEmpty(empty) {
  byId('empty').hidden = !empty;
}

function countUnread() {
  if (!document.hidden) return;
  talk.unread++;
  showTitle();
}

function showTitle() {
  const unread = talk.unread > 0 ? `(${talk.unread}) ` : '';
  document.title = `${unread}${talk.room} · Switchboard`;
}

/* What goes out */

const draftKey = () => `switchboard.draft.${talk.room}`;

function submitMessage(event) {
  event.preventDefault();
  const text = byId('draft').value.trim();
  if (text === '' || countCharacters(text) > LONGEST_MESSAGE) return;
  talk.outbox.post(text);
  showEmpty(false);
  setDraft('');
  log.follow();
  byId('draft').focus();
}

function setDraft(text) {
  byId('draft').value = text;
  draftChanged();
}

function restoreDraft() {
  setDraft(recall(draftKey()));
}

function draftChanged() {
  const draft = byId('draft');
  keep(draftKey(), draft.value);
  draft.style.height = 'auto';
  draft.style.height = `${draft.scrollHeight + draft.offsetHeight - draft.clientHeight}px`;
  const excess = countCharacters(draft.value.trim()) - LONGEST_MESSAGE;
  byId('too-long').textContent = excess > 0 ? `${plural(excess, 'character')} too long` : '';
  byId('send').disabled = excess > 0;
}

function draftKeyDown(event) {
  // An Enter that picks a candidate in an input method is not meant for us.
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  byId('composer').requestSubmit();
}

async function copyLink() {
  await navigator.clipboard.writeText(location.href);
  byId('copy-link').textContent = 'Copied';
  setTimeout(() => { byId('copy-link').textContent = 'Copy link'; }, 2000);
}

/* Coming back to the page, or to the network: no waiting then */

function wake() {
  if (!talk || document.hidden) return;
  talk.unread = 0;
  if (talk.outbox) showTitle();
  talk.client.retryNow();
}

byId('join').addEventListener('submit', submitJoin);
byId('leave').addEventListener('click', leave);
byId('retry').addEventListener('click', () => talk.client.retryNow());
byId('composer').addEventListener('submit', submitMessage);
byId('draft').addEventListener('input', draftChanged);
byId('draft').addEventListener('keydown', draftKeyDown);
byId('copy-link').addEventListener('click', copyLink);
byId('copy-link').hidden = !navigator.clipboard; // browsers give it to secure pages only
document.addEventListener('visibilitychange', wake);
window.addEventListener('online', wake);

const knownName = recall(NAME_KEY);
showForm({ name: knownName, room: requestedRoom() });
if (knownName && new URLSearchParams(location.search).has('room')) join(knownName, requestedRoom());
