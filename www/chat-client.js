/**
 * The chat's protocol, switchboard.chat.v1, over one WebSocket that comes back by itself.
 *
 * Any page may import this module, and Node; it touches no DOM:
 *
 *     const client = new ChatClient({ username: 'ann', room: 'lobby', history: 50 });
 *     client.addEventListener('message', ({ detail }) => console.log(detail.sender, detail.message));
 *     client.open();
 *     client.send('hi');
 *
 * What is sent is sent until the server acknowledges it, under one id, so that it arrives once however often the
 * connection breaks. What others say is resumed where it broke off. The events and their facts: chat-client.d.ts.
 */
import { REQUEST_TIMEOUT, SUBPROTOCOL, Server, chatUrl, parseFrame } from './chat-client-server.js';

export { SUBPROTOCOL, chatUrl };
export const SERVER = '__server';
export const LONGEST_NAME = 64;
export const LONGEST_MESSAGE = 4096;

export const State = Object.freeze({
  CONNECTING: 'connecting',
  OPEN: 'open',
  WAITING: 'waiting', // lost, and going to try again at `retryAt`
  REFUSED: 'refused', // the server does not want us; trying again would not change its mind
  CLOSED: 'closed', // by our own wish, or not yet opened
});

/** What becomes of a message of one's own until it is acknowledged, which takes it off the list. */
export const Fate = Object.freeze({
  WAITING: 'waiting', // for a connection, or for the server to have time
  SENT: 'sent', // and not acknowledged yet
  DOUBTFUL: 'doubtful', // sent so long ago that the server would no longer know it for the same
  FAILED: 'failed', // the server would not take it
});

// Control characters, line separators, and what turns the direction of the text around it.
const UNFIT_FOR_NAMES = /[\p{Cc}\u2028-\u202e\u2066-\u2069]/u;
const WS_OPEN = 1;
const NORMAL_CLOSURE = 1000;
const ABNORMAL_CLOSURE = 1006;
const POLICY_VIOLATION = 1008;
const TOKEN_EXPIRED = 4401;
const REMOVED = 4403;
const FIRST_DELAY = 500;
const LONGEST_DELAY = 30_000;
const ACK_TIMEOUT = 10_000;
const STABLE_AFTER = 5_000;
const REFUSALS_TO_BELIEVE = 2;
const FAILURES_TO_TELL = 5;
const TYPING_INTERVAL = 2_000;
const IDS_LAST = 9 * 60_000; // the server remembers an id for ten minutes
const ERRORS_THAT_PASS = ['too_fast', 'busy'];

/** Characters as people and the server count them, not UTF-16 units. */
export function countCharacters(text) {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/** Why the server would refuse this name for a user or a room, or null when it has no reason to. */
export function nameProblem(name) {
  if (name === '') return 'it is empty';
  if (name === SERVER) return 'that name belongs to the server';
  if (countCharacters(name) > LONGEST_NAME) return `it is longer than ${LONGEST_NAME} characters`;
  if (UNFIT_FOR_NAMES.test(name)) return 'it holds control characters';
  return null;
}

/** How long to wait before try number `attempt`, from 0: growing, and spread so that a crowd does not come back at once. */
export function retryDelay(attempt, random = Math.random) {
  const ceiling = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** attempt);
  return ceiling / 2 + random() * ceiling / 2;
}

export class ChatClient extends EventTarget {
  state = State.CLOSED;
  heardAt = 0; // when the server last sent anything
  epoch = null;
  seq = null; // the newest that came; null before there is any
  rights = null; // what one may do in the room, as the server said when it last let us in
  #server;
  #history;
  #tickets;
  #socket = null;
  #turn = 0;
  #timer = null;
  #openedAt = 0;
  #attempt = 0;
  #failures = 0; // tries in a row that did not get in
  #refusals = 0;
  #admittedOnce = false;
  #outbox = new Map();
  #asked = new Map(); // what a moderator wants done, by id: who waits for the outcome
  #ids = idPrefix();
  #lastId = 0;
  #ackTimer = null;
  #resendTimer = null;
  #resendDelay = FIRST_DELAY;
  #typedAt = -Infinity;

  /** See ChatOptions in chat-client.d.ts. */
  constructor({ username = '', room = 'lobby', history = 0, token = null, tickets = token !== null, pending = [],
    base, network = globalThis, WebSocket, fetch }) {
    super();
    this.username = username;
    this.room = room;
    this.#history = history;
    this.#tickets = tickets;
    this.#server = new Server({ base, token, network, WebSocket, fetch });
    for (const { id, message, firstSentAt = null } of pending) this.#admit(id, message, firstSentAt);
  }

  /** One's own messages that are not acknowledged yet, oldest first. */
  get pending() {
    return [...this.#outbox.values()].map(item => ({ ...item }));
  }

  open() {
    if (this.state !== State.CLOSED && this.state !== State.REFUSED) return;
    this.#failures = 0;
    this.#connect();
  }

  /** Leaves for good: no reconnecting after this. */
  close() {
    this.#drop();
    this.#enter(State.CLOSED);
  }

  /** Says `message` to the room, now or when there is a connection. Returns the id by which it will be acknowledged. */
  send(message) {
    const item = this.#admit(this.#nextId(), message, null);
    this.#typedAt = -Infinity; // whoever goes on writing is typing anew
    this.#transmit(item);
    this.#tell('pending');
    return item.id;
  }

  /** Sends what was doubtful or failed once more. */
  retry(id) {
    const item = this.#outbox.get(id);
    if (!item) return;
    Object.assign(item, { fate: Fate.WAITING, error: null, firstSentAt: null });
    this.#transmit(item);
    this.#tell('pending');
  }

  /** Gives up a message that is not acknowledged yet. */
  discard(id) {
    if (this.#outbox.delete(id)) this.#tell('pending');
  }

  /**
   * What those with the right may do: `action` is delete with { seq }; mute or ban with { user, seconds }; kick, unmute
   * or unban with { user }. Resolves to its sequence when it is done, or rejects with the server's words and its `code`.
   */
  moderate(action, facts) {
    return new Promise((resolve, reject) => {
      if (!this.#writable()) return reject(new Error('there is no connection'));
      const id = this.#nextId();
      this.#asked.set(id, { resolve, reject });
      this.#socket.send(JSON.stringify({ ...facts, type: action, id }));
      this.#expectAck();
    });
  }

  /** Tells the others that something is being typed; call it at each key, it holds back. */
  typing() {
    if (this.#writable() && Date.now() - this.#typedAt >= TYPING_INTERVAL) {
      this.#typedAt = Date.now();
      this.#socket.send('{"type":"typing"}');
    }
  }

  /** Tries at once, if it is waiting to try: the network is back, or someone is looking. */
  retryNow() {
    if (this.state === State.WAITING) this.#connect();
  }

  /** Gives up a connection that seems dead, and makes a new one; nothing is lost by it. */
  reconnect() {
    if (this.state === State.OPEN) this.#connect();
  }

  /** A page of what was said before `before`: { epoch, seq, messages }, oldest first. */
  historyBefore(before, limit = 50) {
    return this.#page({ before, limit });
  }

  /** The newest page, over HTTP: it needs no connection. */
  newest(limit = 50) {
    return this.#page({ limit });
  }

  async #page(query) {
    const response = await this.#server.messages(this.room, query);
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    return response.json();
  }

  /* The connection */

  #connect() {
    this.#drop();
    this.#enter(State.CONNECTING);
    this.#expectAnswer();
    if (this.#tickets) this.#connectWithTicket();
    else this.#dial({ username: this.username });
  }

  async #connectWithTicket() {
    const turn = this.#turn;
    const { status, ticket, problem } = await this.#server.ticket();
    if (turn !== this.#turn) return;
    if (ticket) this.#dial({ ticket });
    else if (status === 401 || status === 403) this.#refuse({ code: status, reason: 'not signed in' });
    else if (status === 404) this.#dial({ username: this.username }); // this server knows no tokens
    else this.#tryFailed({ status, problem });
  }

  #dial(identity) {
    const query = { ...identity, room: this.room };
    if (this.seq !== null) Object.assign(query, { since: this.seq, epoch: this.epoch });
    if (this.#history > 0) query.history = this.#history;
    let socket;
    try {
      socket = this.#server.dial(query);
    } catch (problem) {
      return this.#tryFailed({ problem });
    }
    this.#socket = socket;
    // Events of a socket that has been dropped since are none of our business.
    const whileCurrent = handle => event => { if (this.#socket === socket) handle(event); };
    let problem = null;
    socket.addEventListener('message', whileCurrent(event => this.#received(event.data)));
    socket.addEventListener('close', whileCurrent(event => this.#lost(event, problem)));
    // In Node an error that nobody listens for would end the process, and Node 22 has no close event for a failed handshake.
    socket.addEventListener('error', event => {
      problem = event.error ?? null;
      setTimeout(whileCurrent(facts => this.#lost(facts, problem)), 0, { code: ABNORMAL_CLOSURE, reason: '' });
    });
  }

  /** An answer of some kind has to come now. */
  #expectAnswer() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#answerHangs(), REQUEST_TIMEOUT);
  }

  #drop() {
    this.#turn++;
    for (const timer of [this.#timer, this.#ackTimer, this.#resendTimer]) clearTimeout(timer);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close(NORMAL_CLOSURE);
    for (const id of [...this.#asked.keys()]) this.#answer(id, new Error('the connection was lost'));
  }

  #writable() {
    return this.state === State.OPEN && this.#socket.readyState === WS_OPEN;
  }

  #answerHangs() {
    this.#drop();
    this.#tryFailed({ problem: new Error('no answer in time') });
  }

  #lost({ code, reason }, problem) {
    const wasOpen = this.state === State.OPEN;
    this.#drop();
    if (code === REMOVED || wasOpen && code === POLICY_VIOLATION) return this.#refuse({ code, reason });
    if (wasOpen && Date.now() - this.#openedAt >= STABLE_AFTER) this.#attempt = 0;
    if (code === TOKEN_EXPIRED) this.#admittedOnce = false;
    if (wasOpen) return this.#retryLater({ code, reason });
    if (code === TOKEN_EXPIRED) return this.#tryFailed({ status: code }, { code, reason });
    this.#turnedAway(problem);
  }

  /**
   * A browser never tells a page the status of a failed handshake; asking for the room's messages over HTTP does. When
   * that would be permitted, the server wants a ticket, or it refused us for another reason: to be sure that it had not
   * merely just come up, it has to do so twice.
   */
  async #turnedAway(obstacle) {
    const turn = this.#turn;
    this.#expectAnswer();
    const { status, problem } = await this.#server.mayRead(this.room);
    const well = status === 200 || status === 404;
    const { ticket } = well && !this.#tickets ? await this.#server.ticket() : {};
    if (turn !== this.#turn) return; // closed while we asked
    if (ticket) {
      this.#tickets = true;
      return this.#dial({ ticket });
    }
    if (status === 401) return this.#refuse({ code: status, reason: 'not signed in' });
    if (status === 403) return this.#refuse({ code: status, reason: 'not permitted' });
    if (well && !this.#admittedOnce) this.#refusals++;
    if (this.#refusals >= REFUSALS_TO_BELIEVE) return this.#refuse({});
    this.#tryFailed({ status: well ? 200 : status, problem: problem ?? obstacle });
  }

  #refuse(facts) {
    this.#refusals = 0;
    this.#admittedOnce = false;
    this.#drop();
    this.#enter(State.REFUSED, facts);
    this.#unsend();
  }

  /** Counts a try that did not get in; so many in a row are told, and it goes on trying. */
  #tryFailed(causes, facts = {}) {
    this.#failures++;
    this.#retryLater(facts);
    if (this.#failures === FAILURES_TO_TELL) this.#tellUnreachable(causes);
  }

  async #tellUnreachable(causes) {
    const attempts = this.#failures;
    const message = await this.#server.obstacle(causes);
    if (this.#failures >= attempts && [State.WAITING, State.CONNECTING].includes(this.state)) this.#tell('error', { code: 'unreachable', message, attempts });
  }

  #retryLater(facts) {
    clearTimeout(this.#timer);
    const delay = retryDelay(this.#attempt++);
    this.#timer = setTimeout(() => this.#connect(), delay);
    this.#enter(State.WAITING, { ...facts, retryAt: Date.now() + delay, attempts: this.#failures });
    this.#unsend();
  }

  #enter(state, facts = {}) {
    this.state = state;
    this.#tell('state', { state, ...facts });
  }

  /* What goes out */

  #nextId() {
    return `${this.#ids}-${++this.#lastId}`;
  }

  #admit(id, message, firstSentAt) {
    const item = { id, message, firstSentAt, fate: Fate.WAITING, error: null };
    this.#outbox.set(id, item);
    return item;
  }

  #transmit(item) {
    if (!this.#writable()) return;
    item.firstSentAt ??= Date.now();
    item.fate = Fate.SENT;
    this.#socket.send(JSON.stringify({ id: item.id, message: item.message }));
    this.#expectAck();
  }

  #resend() {
    clearTimeout(this.#resendTimer);
    for (const item of this.#outbox.values()) {
      if (item.fate !== Fate.WAITING) continue;
      if (item.firstSentAt !== null && Date.now() - item.firstSentAt > IDS_LAST) item.fate = Fate.DOUBTFUL;
      else this.#transmit(item);
    }
    this.#tell('pending');
  }

  #unsend() {
    const sent = [...this.#outbox.values()].filter(item => item.fate === Fate.SENT);
    for (const item of sent) item.fate = Fate.WAITING;
    if (sent.length > 0) this.#tell('pending');
  }

  /** A connection on which a message has no answer, nor anything else come in since, is dead. */
  #expectAck() {
    clearTimeout(this.#ackTimer);
    const since = Date.now();
    this.#ackTimer = setTimeout(() => {
      const unanswered = this.#asked.size > 0 || [...this.#outbox.values()].some(item => item.fate === Fate.SENT);
      if (!unanswered) return;
      if (this.heardAt > since) return this.#expectAck();
      this.#unsend();
      this.reconnect();
    }, ACK_TIMEOUT);
  }

  #resendSoon() {
    clearTimeout(this.#resendTimer);
    this.#resendTimer = setTimeout(() => this.#resend(), this.#resendDelay);
    this.#resendDelay = Math.min(2 * this.#resendDelay, LONGEST_DELAY);
  }

  /* What comes in */

  #received(data) {
    const frame = parseFrame(data);
    if (!frame) return;
    this.heardAt = Date.now();
    switch (frame.type) {
      case 'welcome': return this.#welcomed(frame);
      case 'reset': return this.#startAnew(frame);
      case 'message': return this.#heard(frame);
      case 'ack': return this.#acknowledged(frame);
      case 'error': return this.#complained(frame);
      case 'presence': return this.#tell('presence', frame);
      case 'typing': if (frame.user !== this.username) this.#tell('typing', frame); return;
      case 'deleted':
      case 'delete':
      case 'moderation': if (this.#advance(frame)) this.#tell(frame.type, frame); return;
      default: this.#advance(frame);
    }
  }

  #welcomed(frame) {
    clearTimeout(this.#timer);
    this.#openedAt = Date.now();
    this.#admittedOnce = true;
    this.#failures = this.#refusals = 0;
    if (frame.user) this.username = frame.user; // whom the token is for
    this.rights = frame.rights ?? ['read', 'write'];
    // Without a position there is one now, unless the history that we asked for is still to come.
    if (this.seq === null && (this.#history === 0 || frame.seq === 0)) this.seq = frame.seq;
    this.epoch ??= frame.epoch;
    this.#enter(State.OPEN);
    this.#tell('welcome', frame);
    this.#resend();
  }

  #startAnew(frame) {
    this.epoch = frame.epoch;
    this.seq = frame.seq;
    this.#tell('reset', frame);
  }

  #heard(frame) {
    if (!this.#advance(frame)) return;
    if (frame.sender === this.username) this.#arrivedAfterAll(frame);
    this.#tell('message', frame);
  }

  #acknowledged(frame) {
    this.#resendDelay = FIRST_DELAY;
    if (this.#answer(frame.id, frame.seq) || !this.#outbox.delete(frame.id)) return;
    this.#tell('ack', frame);
    this.#tell('pending');
  }

  /** Whether that id is one of a moderator's. */
  #answer(id, outcome) {
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    if (outcome instanceof Error) asked?.reject(outcome);
    else asked?.resolve(outcome);
    return Boolean(asked);
  }

  /** Whether the frame is new; what comes twice, as after a resume, is dropped. */
  #advance({ seq }) {
    if (!Number.isSafeInteger(seq)) return false;
    if (this.seq !== null && seq <= this.seq) return false;
    this.seq = seq;
    return true;
  }

  /** What was in doubt is in the room: it had arrived, only the answer had not. */
  #arrivedAfterAll({ message }) {
    for (const item of this.#outbox.values()) {
      if (item.fate === Fate.DOUBTFUL && item.message === message) return this.discard(item.id);
    }
  }

  #complained(frame) {
    if (this.#answer(frame.id, Object.assign(new Error(frame.message), { code: frame.code }))) return;
    const item = this.#outbox.get(frame.id);
    if (!item) return this.#tell('error', frame);
    if (ERRORS_THAT_PASS.includes(frame.code)) {
      item.fate = Fate.WAITING;
      this.#resendSoon();
    } else {
      Object.assign(item, { fate: Fate.FAILED, error: frame.message });
      this.#tell('error', frame);
    }
    this.#tell('pending');
  }

  #tell(type, detail = null) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** What tells this client's ids from those of the same person's other pages. */
function idPrefix() {
  return Array.from(crypto.getRandomValues(new Uint8Array(8)), byte => byte.toString(16).padStart(2, '0')).join('');
}
