/** A team's page, bundled by Vite: it knows of the chat what its types say. */
import { ChatClient, Fate, State, nameProblem, type ChatEvents, type ChatOptions, type Message, type Pending } from 'switchboard-chat-client';

const element = (id: string): HTMLElement => document.getElementById(id)!;
const options: ChatOptions = { username: new URLSearchParams(location.search).get('name') ?? 'ann', room: 'shop', history: 10 };
if (nameProblem(options.username ?? '') !== null) throw new Error('no such name');

const client = new ChatClient(options);

function showState({ detail }: CustomEvent<ChatEvents['state']>): void {
  element('state').textContent = detail.state === State.WAITING ? `waiting after ${detail.attempts} tries` : detail.state;
}

function showMessage({ detail: { sender, message } }: CustomEvent<Message>): void {
  const item = document.createElement('li');
  item.textContent = `${sender}: ${message}`;
  element('log').append(item);
}

client.addEventListener('state', showState);
client.addEventListener('message', showMessage, { passive: true });
client.addEventListener('error', ({ detail }) => {
  const { code, message, attempts }: { code: string; message: string; attempts?: number } = detail;
  element('state').textContent = `${code}: ${message} (${attempts})`;
});
client.addEventListener('pending', () => {
  const unsent: Pending[] = client.pending.filter(({ fate }) => fate === Fate.FAILED);
  if (unsent[0]) client.discard(unsent[0].id);
});
element('form').addEventListener('submit', event => {
  event.preventDefault();
  const draft = element('draft') as HTMLInputElement;
  client.send(draft.value);
  draft.value = '';
});
client.open();

/** What the types must not let pass; none of it is called. */
export function mistakes(): void {
  // @ts-expect-error A message is text.
  client.send(7);
  // @ts-expect-error The state is told, not set.
  client.state = State.OPEN;
  // @ts-expect-error There is no such event's fact.
  client.addEventListener('ack', ({ detail }) => detail.sequence);
  // @ts-expect-error A mute has an end.
  void client.moderate('mute', { user: 'bob' });
  // @ts-expect-error That is no WebSocket.
  new ChatClient({ WebSocket: Date });
  client.removeEventListener('message', showMessage);
  new ChatClient({ WebSocket, fetch, base: new URL('https://example.org'), token: async () => 'token' });
  new ChatClient({ network: window });
}
