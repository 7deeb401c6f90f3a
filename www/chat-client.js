/**
 * The chat's protocol, switchboard.chat.v1, over one WebSocket that comes back by itself.
 *
 * Any page may import this module; it touches no DOM:
 *
 *     const client = new ChatClient({ username: 'ann', room: 'lobby', history: 50 });
 *     client.addEventListener('message', ({ detail }) => console.log(detail.sender, detail.message));
 *     client.open();
 *     client.send('hi');
 *
 * What is sent is sent until the server acknowledges it, under one id, so that it arrives once however often the
 * connection breaks. What others say is resumed where it broke off. The events and their facts: chat-client.d.ts.
 */
export const SUBPROTOCOL = 'switchboard.chat.v1';
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
const POLICY_VIOLATION = 1008;
const TOKEN_EXPIRED = 4401;
const REMOVED = 4403;
const FIRST_DELAY = 500;
const LONGEST_DELAY = 30_000;
const HANDSHAKE_TIMEOUT = 15_000;
const ACK_TIMEOUT = 10_000;
const STABLE_AFTER = 5_000;
const REFUSALS_TO_BELIEVE = 2;
const TYPING_INTERVAL = 2_000;
const IDS_LAST = 9 * 60_000; // the server remembers an id for ten minutes
const ERRORS_THAT_PASS = ['too_fast', 'busy'];

/** The chat's address beside `base`: ws or wss as the page itself came, everything in `query` encoded. */
export function chatUrl(base, query) {
  const url = new URL('chat', base);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  // A plus for a space is a habit of forms; %20 is the one spelling that every decoder reads alike.
  url.search = new URLSearchParams(query).toString().replaceAll('+', '%20');
  return url.href;
}

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
  #base;
  #network;
  #history;
  #token;
  #tickets;
  #socket = null;
  #turn = 0;
  #timer = null;
  #openedAt = 0;
  #attempt = 0;
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
    base = import.meta.url, network = globalThis }) {
    super();
    this.username = username;
    this.room = room;
    this.#history = history;
    this.#token = token;
    this.#tickets = tickets;
    this.#base = base;
    this.#network = network;
    for (const { id, message, firstSentAt = null } of pending) this.#admit(id, message, firstSentAt);
  }

  /** One's own messages that are not acknowledged yet, oldest first. */
  get pending() {
    return [...this.#outbox.values()].map(item => ({ ...item }));
  }

  open() {
    if (this.state === State.CLOSED || this.state === State.REFUSED) this.#connect();
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
    const response = await this.#askForMessages(query);
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    return response.json();
  }

  #askForMessages(query) {
    return this.#request(new URL(`api/rooms/${encodeURIComponent(this.room)}/messages?${new URLSearchParams(query)}`, this.#base));
  }

  async #request(url, options = {}) {
    const token = typeof this.#token === 'function' ? await this.#token() : this.#token;
    const headers = { ...options.headers, ...token && { Authorization: `Bearer ${token}` } };
    const signal = AbortSignal.timeout(HANDSHAKE_TIMEOUT);
    return this.#network.fetch(url.href, { cache: 'no-store', signal, ...options, headers });
  }

  /* The connection */

  #connect() {
    this.#drop();
    this.#enter(State.CONNECTING);
    this.#timer = setTimeout(() => this.#handshakeHangs(), HANDSHAKE_TIMEOUT);
    if (this.#tickets) this.#connectWithTicket();
    else this.#dial({ username: this.username });
  }

  async #connectWithTicket() {
    const turn = this.#turn;
    const { status, ticket } = await this.#fetchTicket();
    if (turn !== this.#turn) return;
    if (ticket) this.#dial({ ticket });
    else if (status === 401 || status === 403) this.#refuse({ code: status, reason: 'not signed in' });
    else if (status === 404) this.#dial({ username: this.username }); // this server knows no tokens
    else this.#retryLater({});
  }

  async #fetchTicket() {
    try {
      const options = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' };
      const response = await this.#request(new URL('api/tickets', this.#base), options);
      if (response.status !== 201) return { status: response.status };
      return { status: 201, ...await response.json() };
    } catch {
      return { status: 0 };
    }
  }

  #dial(identity) {
    const query = { ...identity, room: this.room };
    if (this.seq !== null) Object.assign(query, { since: this.seq, epoch: this.epoch });
    if (this.#history > 0) query.history = this.#history;
    const socket = new this.#network.WebSocket(chatUrl(this.#base, query), [SUBPROTOCOL]);
    this.#socket = socket;
    // Events of a socket that has been dropped since are none of our business.
    const whileCurrent = handle => event => { if (this.#socket === socket) handle(event); };
    socket.addEventListener('message', whileCurrent(event => this.#received(event.data)));
    socket.addEventListener('close', whileCurrent(event => this.#lost(event)));
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

  #handshakeHangs() {
    this.#drop();
    this.#retryLater({});
  }

  #lost({ code, reason }) {
    const wasOpen = this.state === State.OPEN;
    this.#drop();
    if (code === REMOVED || wasOpen && code === POLICY_VIOLATION) return this.#refuse({ code, reason });
    if (wasOpen && Date.now() - this.#openedAt >= STABLE_AFTER) this.#attempt = 0;
    if (code === TOKEN_EXPIRED) this.#admittedOnce = false;
    else if (!wasOpen) return this.#turnedAway();
    this.#retryLater({ code, reason });
  }

  /**
   * A browser never tells a page the status of a failed handshake; asking for the room's messages over HTTP does. When
   * that would be permitted, the server wants a ticket, or it refused us for another reason: to be sure that it had not
   * merely just come up, it has to do so twice.
   */
  async #turnedAway() {
    const turn = this.#turn;
    const status = await this.#askWhy();
    const well = status === 200 || status === 404;
    const { ticket } = well && !this.#tickets ? await this.#fetchTicket() : {};
    if (turn !== this.#turn) return; // closed while we asked
    if (ticket) {
      this.#tickets = true;
      return this.#dial({ ticket });
    }
    if (status === 401) return this.#refuse({ code: status, reason: 'not signed in' });
    if (status === 403) return this.#refuse({ code: status, reason: 'not permitted' });
    if (well && !this.#admittedOnce) this.#refusals++;
    if (this.#refusals >= REFUSALS_TO_BELIEVE) return this.#refuse({});
    this.#retryLater({});
  }

  async #askWhy() {
    try {
      return (await this.#askForMessages({ limit: 1 })).status;
    } catch {
      return 0;
    }
  }

  #refuse(facts) {
    this.#refusals = 0;
    this.#admittedOnce = false;
    this.#drop();
    this.#enter(State.REFUSED, facts);
    this.#unsend();
  }

  #retryLater(facts) {
    clearTimeout(this.#timer);
    const delay = retryDelay(this.#attempt++);
    this.#timer = setTimeout(() => this.#connect(), delay);
    this.#enter(State.WAITING, { ...facts, retryAt: Date.now() + delay });
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
    this.#refusals = 0;
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

/** A frame of the chat, or null for nonsense. */
function parseFrame(data) {
  try {
    const frame = JSON.parse(data);
    return typeof frame?.type === 'string' ? frame : null;
  } catch {
    return null;
  }
}

/** What tells this client's ids from those of the same person's other pages. */
function idPrefix() {
  return Array.from(crypto.getRandomValues(new Uint8Array(8)), byte => byte.toString(16).padStart(2, '0')).join('');
}
