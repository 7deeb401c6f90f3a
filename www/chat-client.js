/**
 * The chat's plain protocol over one WebSocket that comes back by itself.
 *
 * Any page may import this module; it touches no DOM:
 *
 *     const client = new ChatClient({ username: 'ann', room: 'lobby' });
 *     client.addEventListener('message', ({ detail }) => console.log(detail.sender, detail.message));
 *     client.open();
 *     client.send('hi');
 *
 * Events, each with its facts in `detail`:
 *     state     { state, retryAt, code, reason } the connection has changed, see State
 *     message   { sender, message, seq, time }   someone said something; one's own words come back this way too
 *     notice    { message, seq, time }           the server tells everyone: ann joined, ann left
 *     complaint { error }                        the server tells us alone that it could not take what we sent
 */
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

// Control characters, line separators, and what turns the direction of the text around it.
const UNFIT_FOR_NAMES = /[\p{Cc}\u2028-\u202e\u2066-\u2069]/u;
const NORMAL_CLOSURE = 1000;
const POLICY_VIOLATION = 1008;
const FIRST_DELAY = 500;
const LONGEST_DELAY = 30_000;
const HANDSHAKE_TIMEOUT = 15_000;
const STABLE_AFTER = 5_000;
const REFUSALS_TO_BELIEVE = 2;

/** The chat's address beside `base`: ws or wss as the page itself came, name and room encoded. */
export function chatUrl(base, username, room) {
  const url = new URL('chat', base);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  // A plus for a space is a habit of forms; %20 is the one spelling that every decoder reads alike.
  url.search = new URLSearchParams({ username, room }).toString().replaceAll('+', '%20');
  return url.href;
}

/** Characters as people and the server count them, not UTF-16 units. */
export function countCharacters(text) {
  return [...text].length;
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
  #url;
  #healthUrl;
  #network;
  #socket = null;
  #timer = null;
  #openedAt = 0;
  #attempt = 0;
  #refusals = 0;
  #admittedOnce = false;

  /** `base` is where the server lives, `network` what to reach it with; both are for tests and odd set-ups. */
  constructor({ username, room = 'lobby', base = import.meta.url, network = globalThis }) {
    super();
    this.#url = chatUrl(base, username, room);
    this.#healthUrl = new URL('healthz', base).href;
    this.#network = network;
  }

  open() {
    if (this.state === State.CLOSED || this.state === State.REFUSED) this.#connect();
  }

  /** Leaves for good: no reconnecting after this. */
  close() {
    this.#drop();
    this.#enter(State.CLOSED);
  }

  /** Says `message` to the room. False when there is no connection to say it on. */
  send(message) {
    if (this.state !== State.OPEN || this.#socket.readyState !== WS_OPEN) return false;
    this.#socket.send(JSON.stringify({ message }));
    return true;
  }

  /** Tries at once, if it is waiting to try: the network is back, or someone is looking. */
  retryNow() {
    if (this.state === State.WAITING) this.#connect();
  }

  /** Gives up a connection that seems dead, and makes a new one. */
  reconnect() {
    if (this.state === State.OPEN) this.#connect();
  }

  #connect() {
    this.#drop();
    const socket = new this.#network.WebSocket(this.#url);
    this.#socket = socket;
    // Events of a socket that has been dropped since are none of our business.
    const whileCurrent = handle => event => { if (this.#socket === socket) handle(event); };
    socket.addEventListener('open', whileCurrent(() => this.#opened()));
    socket.addEventListener('message', whileCurrent(event => this.#received(event.data)));
    socket.addEventListener('close', whileCurrent(event => this.#lost(event)));
    this.#timer = setTimeout(() => this.#handshakeHangs(), HANDSHAKE_TIMEOUT);
    this.#enter(State.CONNECTING);
  }

  #drop() {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close(NORMAL_CLOSURE);
  }

  #opened() {
    clearTimeout(this.#timer);
    this.#openedAt = Date.now();
    this.#admittedOnce = true;
    this.#enter(State.OPEN);
  }

  #handshakeHangs() {
    this.#drop();
    this.#retryLater({});
  }

  async #lost({ code, reason }) {
    const socket = this.#socket;
    clearTimeout(this.#timer);
    if (this.state === State.OPEN && code === POLICY_VIOLATION) return this.#refused({ code, reason });
    if (this.state === State.OPEN && Date.now() - this.#openedAt >= STABLE_AFTER) this.#attempt = 0;
    if (!this.#admittedOnce) {
      const refused = await this.#looksRefused();
      if (this.#socket !== socket) return; // closed while we asked
      if (refused) return this.#refused({});
    }
    this.#retryLater({ code, reason });
  }

  /**
   * A browser never tells a page the status of a failed handshake. When the server is well and yet turned us away,
   * it refused us; to be sure that it had not merely just come up, it has to do so twice.
   */
  async #looksRefused() {
    if (await this.#serverIsWell()) this.#refusals++;
    return this.#refusals >= REFUSALS_TO_BELIEVE;
  }

  async #serverIsWell() {
    try {
      const signal = AbortSignal.timeout(HANDSHAKE_TIMEOUT);
      return (await this.#network.fetch(this.#healthUrl, { cache: 'no-store', signal })).ok;
    } catch {
      return false;
    }
  }

  #refused(facts) {
    this.#refusals = 0;
    this.#drop();
    this.#enter(State.REFUSED, facts);
  }

  #retryLater(facts) {
    const delay = retryDelay(this.#attempt++);
    this.#timer = setTimeout(() => this.#connect(), delay);
    this.#enter(State.WAITING, { ...facts, retryAt: Date.now() + delay });
  }

  #enter(state, facts = {}) {
    this.state = state;
    this.#tell('state', { state, ...facts });
  }

  #received(data) {
    this.heardAt = Date.now();
    const frame = parseFrame(data);
    if (!frame) return;
    if (frame.sender !== SERVER) this.#tell('message', frame);
    else if (typeof frame.error === 'string') this.#tell('complaint', frame);
    else this.#tell('notice', frame);
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

const WS_OPEN = 1;

/** A frame of the chat, or null for what this version does not know and so leaves alone. */
function parseFrame(data) {
  let frame;
  try {
    frame = JSON.parse(data);
  } catch {
    return null;
  }
  const known = typeof frame?.sender === 'string' && (typeof frame.message === 'string' || typeof frame.error === 'string');
  return known ? frame : null;
}
