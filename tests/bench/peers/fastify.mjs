// The chat, the echo and the hello of Switchboard, the ordinary way on Fastify. PORT is where it listens; DEFLATE=1
// compresses messages, without keeping a context for each connection.
import { fileURLToPath } from 'node:url';
import websocket from '@fastify/websocket';
import files from '@fastify/static';
import Fastify from 'fastify';

const perMessageDeflate = process.env.DEFLATE
  ? { serverNoContextTakeover: true, clientNoContextTakeover: true }
  : false;
const fastify = Fastify({ logger: false });
const members = new Set();

await fastify.register(files, { root: fileURLToPath(new URL('../../../www', import.meta.url)) });
await fastify.register(websocket, { options: { maxPayload: 1 << 20, perMessageDeflate } });

fastify.get('/hello', {
  schema: { response: { 200: { type: 'object', properties: { message: { type: 'string' } } } } },
}, () => ({ message: 'Hello libwebsockets' }));

fastify.get('/echo', { websocket: true }, (socket) => {
  socket.on('message', (data, binary) => socket.send(data, { binary }));
});

fastify.get('/chat', { websocket: true }, (socket, request) => {
  const sender = request.query.username;

  members.add(socket);
  socket.on('close', () => members.delete(socket));
  socket.on('message', (data) => {
    const { message } = JSON.parse(data);
    const text = Buffer.from(JSON.stringify({ sender, message, time: new Date().toISOString() }));

    for (const member of members) {
      member.send(text, { binary: false });
    }
  });
});

await fastify.listen({ host: '127.0.0.1', port: Number(process.env.PORT), backlog: 511 });
