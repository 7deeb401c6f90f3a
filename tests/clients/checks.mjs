/** What the clients in JavaScript are asked, by the WebSocket that they have, and TAP of what comes of it. */
import { randomBytes, randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';

export const base = process.argv[2];
const TEXT = 'Grüße, 世界 😀 '.repeat(40);
const BINARY = Buffer.from(Array.from({ length: 4096 }, (_, index) => index % 256));
const MEBIBYTE_TEXT = '0123456789abcdef'.repeat(65_536);
const MEBIBYTE = randomBytes(1 << 20);
const TOO_MUCH = Buffer.alloc((2 << 20) + 1);

let count = 0;

export function check(name, seen, wanted) {
  const ok = isDeepStrictEqual(seen, wanted);
  console.log(`${ok ? 'ok' : 'not ok'} ${++count} - ${name}`);
  if (ok) return;
  console.log(`# ${JSON.stringify(seen)?.slice(0, 300)}`);
  process.exitCode = 1;
}

export const finish = () => console.log(`1..${count}`);

const next = (socket, type) => new Promise(resolve => { socket.addEventListener(type, resolve, { once: true }); });

/** An open socket; its messages wait in `inbox` until next() asks for them. */
export async function dial(open, path, protocols = []) {
  const socket = open(`${base}${path}`, protocols);
  socket.binaryType = 'arraybuffer';
  socket.addEventListener('error', () => {});
  const inbox = [];
  let wake = () => {};
  socket.addEventListener('message', ({ data }) => { inbox.push(data); wake(); });
  socket.addEventListener('close', () => wake());
  const receive = async () => {
    while (inbox.length === 0 && socket.readyState < 3) await new Promise(resolve => { wake = resolve; });
    return inbox.shift();
  };
  const closed = next(socket, 'close');
  await Promise.race([next(socket, 'open'), closed]);
  return { socket, receive, closed };
}

const asSent = data => typeof data === 'string' ? data : Buffer.from(data ?? []);

/** All that any WebSocket of a browser's kind can do; `open` makes one. */
export async function checkAll(open, room, deflate) {
  const { socket, receive, closed } = await dial(open, '/echo');
  check('deflate as far as it is offered', socket.extensions.startsWith('permessage-deflate'), deflate);
  for (const [name, message] of Object.entries({ text: TEXT, binary: BINARY, '1 MiB of text': MEBIBYTE_TEXT, '1 MiB': MEBIBYTE })) {
    socket.send(message);
    check(`echo of ${name}`, asSent(await receive()), message);
  }
  socket.close(1000, 'done');
  check('1000 comes back', (({ code, wasClean }) => ({ code, wasClean }))(await closed), { code: 1000, wasClean: true });

  const chat = await dial(open, `/chat?username=ann&room=${room}`, ['switchboard.chat.v1']);
  const welcome = JSON.parse(await chat.receive());
  chat.socket.send(JSON.stringify({ id: randomUUID(), message: 'hi' }));
  let frame = welcome;
  while (frame.type !== 'message') frame = JSON.parse(await chat.receive());
  check('the chat', [chat.socket.protocol, welcome.type, frame.message], ['switchboard.chat.v1', 'welcome', 'hi']);
  chat.socket.close();

  for (const [name, path, message, code] of [['binary in the chat', '/chat?username=ann', Buffer.alloc(1), 1003], ['too much', '/echo', TOO_MUCH, 1009]]) {
    const rude = await dial(open, path);
    rude.socket.send(message);
    check(`${name}: ${code}`, (await rude.closed).code, code);
  }
}
