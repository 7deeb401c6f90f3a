/** The package undici, whose WebSocket Node has as its own: node-undici.mjs ws://HOST:PORT */
import diagnostics from 'node:diagnostics_channel';
import { WebSocket, fetch, ping } from 'undici';
import { base, check, checkAll, dial, finish } from './checks.mjs';

await checkAll((url, protocols) => new WebSocket(url, protocols), 'node-undici', true);

const { socket } = await dial(url => new WebSocket(url), '/echo');
const answered = new Promise(resolve => { diagnostics.subscribe('undici:websocket:pong', ({ payload }) => resolve(String(payload))); });
ping(socket, Buffer.from('here?'));
check('a ping is answered', await answered, 'here?');
socket.close();

const refused = new WebSocket(`${base}/chat`);
await new Promise(resolve => { refused.addEventListener('error', resolve); });
check('no name is an error', refused.readyState === WebSocket.OPEN, false);

const http = base.replace(/^ws/, 'http');
const response = await fetch(`${http}/hello`);
check('GET', await response.json(), { message: 'Hello libwebsockets' });
const said = await fetch(`${http}/api/rooms/node-undici/messages`, {
  method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"sender":"bot","message":"hi"}',
});
check('POST', said.status, 201);
finish();
