/** The package ws: node-ws.mjs ws://HOST:PORT */
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { base, check, checkAll, dial, finish } from './checks.mjs';

await checkAll((url, protocols) => new WebSocket(url, protocols), 'node-ws', true);
await checkAll((url, protocols) => new WebSocket(url, protocols, { perMessageDeflate: false }), 'node-ws', false);

const { socket } = await dial(url => new WebSocket(url), '/echo');
socket.ping('here?');
check('a ping is answered', (await once(socket, 'pong')).map(String), ['here?']);
socket.close();

const refused = new WebSocket(`${base}/chat`);
const [, response] = await once(refused, 'unexpected-response');
check('no name: 403', response.statusCode, 403);
response.destroy();
finish();
