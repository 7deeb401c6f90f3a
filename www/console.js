/** The console page: opens one endpoint at a time over WebSocket, EventSource or GET, and logs all that passes. */
import { ConsoleLog, bytes } from './console-log.js';
import { mergeEndpoints } from './console-endpoints.js';
import { byId } from './dom.js';

/** What is known without asking; what the server says of itself, in /asyncapi.json, is added to it. */
let endpoints = [
  { path: '/hello', about: 'A fixed greeting: JSON over GET, text for each message over WebSocket.', sample: 'hello' },
  { path: '/hello-ws', about: 'The same greeting, over WebSocket only.', sample: 'hello' },
  { path: '/?username=ann', about: 'Greets by name. Any path without its own endpoint does; without a name it refuses with 403.', sample: 'hello' },
  { path: '/digits', about: 'A random digit, 1 to 9, each second. Also as EventSource.', sample: '' },
  { path: '/letters', about: 'A random letter, a to z, each second. Also as EventSource.', sample: '' },
  { path: '/echo', about: 'Sends each message back as it came, text or binary.', sample: 'hello' },
  { path: '/chat?username=ann&room=lobby', about: 'The group chat. Without a name it refuses with 403.', sample: '{"message":"hi"}' },
  { path: '/healthz', about: 'Is the server alive? For GET.', sample: '' },
  { path: '/readyz', about: 'Does the server want traffic? For GET.', sample: '' },
  { path: '/metrics', about: 'What the server counts, as Prometheus text. For GET.', sample: '' },
];

const OPCODES = { text: 'text 0x1', binary: 'binary 0x2', close: 'close 0x8' };
const NO_CODE = 1005;
const NO_CLOSE_FRAME = 1006;
const CLOSE_CODES = {
  1000: 'normal', 1001: 'going away', 1002: 'protocol error', 1003: 'unsupported data', 1005: 'no code given',
  1007: 'invalid data', 1008: 'policy', 1009: 'too big', 1011: 'server error',
  1012: 'restarting', 1013: 'too slow, come back',
};
const STATE_WORDS = { closed: 'Not connected', connecting: 'Connecting…', open: 'Connected', streaming: 'Streaming' };

const utf8 = new TextEncoder();
const log = new ConsoleLog({ log: byId('log'), scroller: byId('scroller'), empty: byId('empty'), totals: byId('totals') });

/** What is open now: a WebSocket, an EventSource or nothing. */
let socket = null;
let source = null;
const sent = [];
let recalled = 0;

/* The target */

/** The path's URL, or null where it is none, or leads to another host, as two slashes do, and a slash with a backslash. */
function urlOf(path) {
  try {
    const url = new URL(path, location.origin);
    return path.startsWith('/') && url.origin === location.origin ? url : null;
  } catch {
    return null;
  }
}

/** The URL that was asked for, or null with the trouble shown. */
function target() {
  const url = urlOf(byId('path').value.trim());
  showTrouble(url ? '' : 'A path starts with one slash, as in /hello');
  byId('path').toggleAttribute('aria-invalid', false);
  if (url) return url;
  byId('path').setAttribute('aria-invalid', 'true');
  byId('path').focus();
  return null;
}

function showTrouble(text) {
  byId('target-error').textContent = text;
  byId('target-error').hidden = text === '';
}

function choosePreset() {
  const endpoint = endpoints[byId('preset').value];
  if (!endpoint) return byId('path').focus();
  byId('path').value = endpoint.path;
  byId('payload').value = endpoint.sample;
  byId('sender').elements.kind.value = 'text';
  pathChanged();
  payloadChanged();
}

function pathChanged() {
  const path = byId('path').value.trim();
  const index = endpoints.findIndex(endpoint => endpoint.path === path);
  byId('preset').value = index < 0 ? 'other' : index;
  byId('about').textContent = endpoints[index]?.about ?? '';
  byId('about').hidden = index < 0;
}

/** So that the page's address can be passed on, and leads to the same endpoint. */
function rememberTarget() {
  history.replaceState(null, '', `#${byId('path').value.trim()}`);
}

/* WebSocket */

function connect(event) {
  event.preventDefault();
  const url = target();
  if (!url) return;
  hangUp();
  rememberTarget();
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  url.hash = '';
  const subprotocol = byId('subprotocol').value.trim();
  try {
    socket = new WebSocket(url, subprotocol === '' ? [] : subprotocol.split(/[\s,]+/));
  } catch (error) {
    return log.add({ way: 'fault', text: error.message });
  }
  log.add({ way: 'event', text: `Connecting to ${url}` });
  listen(socket);
  showState('connecting');
}

function listen(current) {
  let opened = false;
  current.binaryType = 'arraybuffer';
  current.onopen = () => {
    opened = true;
    log.add({ way: 'event', text: current.protocol ? `Open, speaking ${current.protocol}` : 'Open' });
    showState('open');
    goOnToPayload();
  };
  current.onmessage = ({ data }) => received(data);
  current.onclose = event => {
    closed(event, opened);
    if (socket !== current) return;
    socket = null;
    showState('closed');
  };
}

/** Whoever connected from the form wants to send next; whoever has moved on since is left alone. */
function goOnToPayload() {
  if (byId('target').contains(document.activeElement)) byId('payload').focus();
}

function received(data) {
  if (typeof data === 'string') log.add({ way: 'in', opcode: OPCODES.text, size: utf8.encode(data).length, text: data });
  else log.add({ way: 'in', opcode: OPCODES.binary, size: data.byteLength, text: toHex(new Uint8Array(data)) });
}

function closed({ code, reason, wasClean }, opened) {
  if (!opened) return log.add({ way: 'fault', text: 'The handshake failed: refused, or no server. Browsers hide which from a page; the server’s log tells.' });
  if (code === NO_CLOSE_FRAME) return log.add({ way: 'fault', text: 'Connection lost without a close frame (1006)' });
  const meaning = CLOSE_CODES[code] ? ` ${CLOSE_CODES[code]}` : '';
  const haste = wasClean ? '' : '; the server hung up before our answer';
  const size = code === NO_CODE ? 0 : 2 + utf8.encode(reason).length;
  log.add({ way: 'event', opcode: OPCODES.close, size, text: `Closed with ${code}${meaning}${reason && `, reason: ${reason}`}${haste}` });
}

function disconnect(event) {
  event.preventDefault();
  if (source) return hangUp();
  try {
    const code = byId('code').value.trim();
    if (code === '') socket.close();
    else socket.close(Number(code), byId('reason').value);
    log.add({ way: 'event', text: 'Closing' });
  } catch (error) {
    log.add({ way: 'fault', text: error.message });
  }
}

/** Ends whatever is open, so that only one thing ever is. */
function hangUp() {
  socket?.close();
  if (source) log.add({ way: 'event', text: 'EventSource closed' });
  source?.close();
  socket = source = null;
  showState('closed');
}

function showState(state) {
  const open = state === 'open';
  byId('state').textContent = STATE_WORDS[state];
  byId('state').dataset.state = state === 'streaming' ? 'open' : state;
  byId('send').disabled = !open;
  byId('closing-fields').disabled = state === 'closed';
  byId('connect').textContent = state === 'closed' ? 'Connect' : 'Connect anew';
}

/* HTTP */

async function get() {
  const url = target();
  if (!url) return;
  rememberTarget();
  log.add({ way: 'out', opcode: 'GET', size: 0, text: url.href });
  const started = performance.now();
  try {
    const response = await fetch(url, { cache: 'no-store', signal: AbortSignal.timeout(10_000) });
    if (response.headers.get('content-type')?.startsWith('text/event-stream')) return refuseStream(response);
    const body = await response.arrayBuffer();
    log.add({ way: 'in', opcode: `HTTP ${response.status}`, size: body.byteLength, text: describe(response, body, performance.now() - started) });
  } catch (error) {
    log.add({ way: 'fault', text: `GET failed: ${error.message}` });
  }
}

function refuseStream(response) {
  response.body.cancel();
  log.add({ way: 'event', opcode: `HTTP ${response.status}`, text: 'An event stream, which never ends. “EventSource” shows its events.' });
}

function describe(response, body, duration) {
  const headers = [...response.headers].map(([name, value]) => `${name}: ${value}`);
  const text = new TextDecoder().decode(body);
  return [`${response.status} ${response.statusText} in ${Math.round(duration)} ms`, ...headers, '', text].join('\n');
}

function openEvents() {
  const url = target();
  if (!url) return;
  hangUp();
  rememberTarget();
  log.add({ way: 'event', text: `EventSource on ${url}` });
  const current = source = new EventSource(url);
  current.onopen = () => { log.add({ way: 'event', text: 'Stream open' }); showState('streaming'); };
  current.onmessage = ({ data }) => log.add({ way: 'in', opcode: 'event', size: utf8.encode(data).length, text: data });
  current.onerror = () => eventsFailed(current);
  showState('connecting');
}

function eventsFailed(current) {
  if (current.readyState === EventSource.CONNECTING) {
    log.add({ way: 'fault', text: 'Stream interrupted; the browser connects again by itself' });
    return showState('connecting');
  }
  log.add({ way: 'fault', text: 'Not an event stream, or no server' });
  if (source !== current) return;
  source = null;
  showState('closed');
}

/* Sending */

const kind = () => byId('sender').elements.kind.value;

function send(event) {
  event.preventDefault();
  if (socket?.readyState !== WebSocket.OPEN) return;
  const text = byId('payload').value;
  const binary = kind() === 'binary';
  const data = binary ? fromHex(text) : text;
  if (data === null) return;
  socket.send(data);
  const size = binary ? data.length : utf8.encode(text).length;
  log.add({ way: 'out', opcode: binary ? OPCODES.binary : OPCODES.text, size, text: binary ? toHex(data) : text });
  recalled = sent.push(text);
  byId('payload').select();
}

function payloadChanged() {
  const text = byId('payload').value;
  const data = kind() === 'binary' ? fromHex(text) : utf8.encode(text);
  byId('payload-size').textContent = data ? bytes(data.length) : '';
  byId('payload-error').textContent = data ? '' : 'Hex takes two digits a byte, as in 48 65 6c 6c 6f';
}

function payloadKeyDown(event) {
  const payload = byId('payload');
  if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    byId('sender').requestSubmit();
  } else if (event.key === 'ArrowUp' && recalled > 0 && (payload.value === '' || payload.value === sent[recalled])) {
    event.preventDefault();
    payload.value = sent[--recalled];
    payloadChanged();
  }
}

/** The bytes that pairs of hex digits stand for, or null when `text` is not such. Blanks may stand between pairs. */
function fromHex(text) {
  const digits = text.replace(/\s+/g, '');
  if (digits.length % 2 !== 0 || /[^0-9a-f]/i.test(digits)) return null;
  return Uint8Array.from(digits.match(/../g) ?? [], pair => parseInt(pair, 16));
}

function toHex(data) {
  return Array.from(data, byte => byte.toString(16).padStart(2, '0')).join(' ');
}

/* The log */

async function copyLog() {
  await copyText(log.toString());
  byId('copy').textContent = 'Copied';
  setTimeout(() => { byId('copy').textContent = 'Copy log'; }, 2000);
}

/** Browsers give the clipboard to secure pages only; the old way still works on a plain-HTTP test machine. */
async function copyText(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = Object.assign(document.createElement('textarea'), { value: text });
  document.body.append(area);
  area.select();
  document.execCommand('copy');
  area.remove();
}

/* Start */

function fillPresets() {
  byId('preset').replaceChildren();
  for (const [index, { path }] of endpoints.entries()) byId('preset').append(new Option(path, index));
  byId('preset').append(new Option('Another path', 'other'));
}

/** Without such a file the list stays what it is. Whoever has chosen something meanwhile keeps it. */
async function learnEndpoints() {
  try {
    const response = await fetch('asyncapi.json', { signal: AbortSignal.timeout(10_000) });
    if (!response.ok) return;
    endpoints = mergeEndpoints(endpoints, await response.json());
  } catch {
    return;
  }
  fillPresets();
  pathChanged();
}

function start() {
  fillPresets();
  const asked = location.hash.slice(1);
  byId('preset').value = 0;
  choosePreset();
  if (asked === '') return;
  byId('path').value = asked;
  pathChanged();
}

byId('preset').addEventListener('change', choosePreset);
byId('path').addEventListener('input', pathChanged);
byId('target').addEventListener('submit', connect);
byId('get').addEventListener('click', get);
byId('events').addEventListener('click', openEvents);
byId('closing').addEventListener('submit', disconnect);
byId('sender').addEventListener('submit', send);
byId('sender').addEventListener('input', payloadChanged);
byId('payload').addEventListener('keydown', payloadKeyDown);
byId('copy').addEventListener('click', copyLog);
byId('clear').addEventListener('click', () => { log.clear(); byId('payload').focus(); });
start();
learnEndpoints();
