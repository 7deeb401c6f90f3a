/**
 * A program for Node: node.js BASE NAME [ws]. It prints what happens, a line of JSON each, and does what it is told, a
 * line each: `retry`, `say TEXT`, `close`, after which nothing may keep it alive.
 */
import { createInterface } from 'node:readline';
import { ChatClient, type ChatEvents, type ChatOptions } from 'switchboard-chat-client';

const [base = '', username = '', kind = ''] = process.argv.slice(2);
const options: ChatOptions = { base, username, room: 'shop' };
const client = new ChatClient(kind === 'ws' ? { ...options, WebSocket: (await import('ws')).WebSocket } : options);
const print = (type: string, detail: object | null): void => { console.log(JSON.stringify({ type, ...detail })); };

for (const type of ['state', 'message', 'ack', 'error'] as const satisfies readonly (keyof ChatEvents)[]) {
  client.addEventListener(type, event => print(type, event.detail));
}
const input = createInterface({ input: process.stdin });
input.on('line', line => {
  const [order, ...words] = line.split(' ');
  if (order === 'retry') client.retryNow();
  if (order === 'say') client.send(words.join(' '));
  if (order === 'close') {
    process.stdin.destroy();
    client.close();
  }
});
client.open();
