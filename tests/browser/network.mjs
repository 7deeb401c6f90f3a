/** What stands in for fetch and WebSocket, so that a test of the client needs neither browser nor server. */

/** A network whose server is well or not, and on which every connection's fate is in the test's hands. */
export class Network {
  sockets = [];
  well = true;
  answers = {}; // by path: { status, body }
  asked = [];

  constructor() {
    const network = this;
    this.WebSocket = class extends EventTarget {
      readyState = 0;
      sent = [];

      constructor(url, protocols) {
        super();
        this.url = url;
        this.query = Object.fromEntries(new URL(url).searchParams);
        this.protocols = protocols;
        network.sockets.push(this);
      }

      send(data) { this.sent.push(JSON.parse(data)); }
      close() { this.readyState = 3; }
      opens() { this.readyState = 1; this.dispatchEvent(new Event('open')); }
      welcomes(facts = {}) {
        this.opens();
        this.receives({ type: 'welcome', room: 'lobby', epoch: 'e', seq: 0, members: ['ann'], people: 1, ...facts });
      }
      closes(code, reason = '') { this.readyState = 3; this.dispatchEvent(Object.assign(new Event('close'), { code, reason })); }
      receives(frame) { this.dispatchEvent(Object.assign(new Event('message'), { data: typeof frame === 'string' ? frame : JSON.stringify(frame) })); }
    };
  }

  get last() { return this.sockets.at(-1); }

  async fetch(url, options = {}) {
    const { pathname, search } = new URL(url);
    this.asked.push({ path: pathname + search, ...options });
    if (!this.well) throw new TypeError('Failed to fetch');
    if (pathname === '/healthz') return { ok: true, status: 200 };
    const { status = 404, body = {} } = this.answers[pathname] ?? {};
    const answer = typeof body === 'function' ? body(new URL(url).searchParams) : body;
    return { ok: status < 300, status, json: async () => answer };
  }
}

/** Lets what was promised come true: asking the server how it is takes a few turns. */
export const settle = () => new Promise(resolve => setImmediate(resolve));
