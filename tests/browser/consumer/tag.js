/** The same without a bundler. */
import { ChatClient } from './chat/chat-client.js';

const client = new ChatClient({ username: new URLSearchParams(location.search).get('name') ?? 'ann', room: 'shop' });
client.addEventListener('state', ({ detail }) => { document.getElementById('state').textContent = detail.state; });
client.addEventListener('error', ({ detail }) => { document.getElementById('state').textContent = detail.message; });
client.addEventListener('message', ({ detail }) => {
  const item = document.createElement('li');
  item.textContent = `${detail.sender}: ${detail.message}`;
  document.getElementById('log').append(item);
});
client.open();
client.send('hello by tag');
