/** The server as a ChatClient reaches it: its address, requests and sockets to it, and what is in the way of them. */
export const SUBPROTOCOL = 'switchboard.chat.v1';
export const REQUEST_TIMEOUT = 15_000;

/** The chat's address beside `base`: ws or wss as the page itself came, everything in `query` encoded. */
export function chatUrl(base, query) {
  const url = new URL('chat', base);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  // A plus for a space is a habit of forms; %20 is the one spelling that every decoder reads alike.
  url.search = new URLSearchParams(query).toString().replaceAll('+', '%20');
  return url.href;
}

/** A frame of the chat, or null for nonsense. */
export function parseFrame(data) {
  try {
    const frame = JSON.parse(data);
    return typeof frame?.type === 'string' ? frame : null;
  } catch {
    return null;
  }
}

export class Server {
  #base;
  #token;
  #network;
  #WebSocket;
  #fetch;

  /** Throws a TypeError that says what to pass where `base`, `WebSocket` or `fetch` is missing and there is none by default. */
  constructor({ base, token, network, WebSocket, fetch }) {
    this.#base = serverAddress(base);
    this.#token = token;
    this.#network = network;
    this.#WebSocket = WebSocket;
    this.#fetch = fetch;
    for (const name of ['WebSocket', 'fetch']) {
      if (typeof ({ WebSocket, fetch }[name] ?? network[name]) !== 'function') {
        throw new TypeError(`ChatClient: there is no ${name} here: pass one, as in new ChatClient({ ${name}, … })`);
      }
    }
  }

  /** A socket on its way to the chat; throws what the constructor of WebSocket throws. */
  dial(query) {
    const WebSocket = this.#WebSocket ?? this.#network.WebSocket;
    return new WebSocket(chatUrl(this.#base, query), [SUBPROTOCOL]);
  }

  messages(room, query) {
    return this.#request(`api/rooms/${encodeURIComponent(room)}/messages?${new URLSearchParams(query)}`);
  }

  /** Whether one might read in the room: the status of asking, or 0 with the `problem`. Never throws. */
  async mayRead(room) {
    try {
      return { status: (await this.messages(room, { limit: 1 })).status };
    } catch (problem) {
      return { status: 0, problem };
    }
  }

  /** { status, ticket }, or a status of 0 with the `problem`. Never throws. */
  async ticket() {
    try {
      const response = await this.#request('api/tickets', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' });
      if (response.status !== 201) return { status: response.status };
      return { status: 201, ticket: (await response.json()).ticket };
    } catch (problem) {
      return { status: 0, problem };
    }
  }

  /** In words, what may be in the way, given what went wrong. Never throws. */
  async obstacle({ status = 0, problem = null }) {
    const { origin, protocol, hostname } = this.#base;
    const page = pageAddress();
    if (status >= 400) return `${origin} refuses, with ${status}`;
    if (status > 0) return `${origin} answers requests but opens no WebSocket, or a proxy in between lets none through${because(problem)}`;
    if (page?.protocol === 'https:' && protocol === 'http:' && hostname !== 'localhost') return `${origin} is not for pages that came by https`;
    if (page && page.origin !== origin && await this.#answers()) return `${origin} does not answer pages of ${page.origin}: its origins have to name them`;
    return `${origin} cannot be reached${because(problem)}`;
  }

  async #request(path, options = {}) {
    const token = typeof this.#token === 'function' ? await this.#token() : this.#token;
    const headers = { ...options.headers, ...token && { Authorization: `Bearer ${token}` } };
    return this.#ask(path, { ...options, headers });
  }

  /** Whether anything is there at all, which a page may find out of any origin, and nothing else. */
  async #answers() {
    try {
      await this.#ask('healthz', { mode: 'no-cors', credentials: 'omit' });
      return true;
    } catch {
      return false;
    }
  }

  #ask(path, options) {
    const { href } = new URL(path, this.#base);
    const all = { cache: 'no-store', signal: AbortSignal.timeout(REQUEST_TIMEOUT), ...options };
    const fetch = this.#fetch; // a browser's must not be called as a method of another object
    return fetch ? fetch(href, all) : this.#network.fetch(href, all);
  }
}

/** Where the server is: `base`, by default the origin of the page. Requests go there by http or https. */
function serverAddress(base) {
  const page = pageAddress();
  const address = base ?? page?.origin;
  if (address === undefined) throw new TypeError('ChatClient: there is no page to come from: pass the server\'s address, as in new ChatClient({ base: \'https://chat.example.org\', … })');
  let url;
  try {
    url = new URL(address, page?.href);
  } catch {
    // Told below.
  }
  if (url) url.protocol = { 'ws:': 'http:', 'wss:': 'https:' }[url.protocol] ?? url.protocol;
  if (!['http:', 'https:'].includes(url?.protocol)) throw new TypeError(`ChatClient: base is ${address}: expected an address with http or https`);
  return url;
}

/** The page's (or the worker's), unless it came from no server: there is none in Node. */
function pageAddress() {
  const { origin } = globalThis.location ?? {};
  return /^https?:/.test(origin) ? globalThis.location : null;
}

/** Node's fetch hides the reason in the cause, whose message may be empty. */
function because(problem) {
  const words = problem?.cause?.code ?? problem?.cause?.message ?? problem?.message;
  return words ? `: ${words}` : '';
}
