/**
 * Messages on their way. One stays here until the room's broadcast brings it back, so nothing that was typed is lost:
 * not when the connection is down, not when it breaks just then, not when the page is reloaded.
 *
 * A message's fate: `waiting` for a connection, `sent` and not heard back yet, or `doubtful`: it may have arrived
 * or not, and only its author can tell whether to say it again.
 */
import { bubble } from './chat-log.js';
import { keep, make, recall } from './dom.js';

const DOUBT_AFTER = 10_000;
const WORDS = { waiting: 'Goes out when the connection is back', sent: 'Sending…', doubtful: 'May not have arrived' };

export class Outbox {
  #list;
  #say;
  #storageKey;
  #onDoubt;
  #messages = [];

  /** `say(text)` sends and tells whether it could; `onDoubt(since)` hears that what was sent then has had no answer. */
  constructor({ list, say, storageKey, onDoubt }) {
    this.#list = list;
    this.#say = say;
    this.#storageKey = storageKey;
    this.#onDoubt = onDoubt;
    this.#restore();
  }

  post(text) {
    this.#send(this.#admit(text));
  }

  /** The broadcast has brought `text` back: it has arrived. */
  heard(text) {
    const message = this.#messages.find(each => each.fate !== 'waiting' && each.text === text);
    if (message) this.#remove(message);
  }

  connected() {
    for (const message of this.#messages) if (message.fate === 'waiting') this.#send(message);
  }

  disconnected() {
    for (const message of this.#messages) if (message.fate === 'sent') this.#become(message, 'doubtful');
  }

  /** The server would not take the message: if it is clear which one, its text. */
  returned() {
    if (this.#messages.length !== 1) return null;
    const [message] = this.#messages;
    this.#remove(message);
    return message.text;
  }

  close() {
    for (const message of this.#messages) clearTimeout(message.timer);
    this.#list.replaceChildren();
  }

  #admit(text) {
    const message = { text, fate: null, timer: null, element: null };
    message.element = make('div', { className: 'pending' });
    this.#messages.push(message);
    this.#list.append(message.element);
    return message;
  }

  #send(message) {
    this.#become(message, this.#say(message.text) ? 'sent' : 'waiting');
  }

  #become(message, fate) {
    const now = Date.now();
    clearTimeout(message.timer);
    message.fate = fate;
    message.element.dataset.fate = fate;
    message.element.replaceChildren(bubble(message.text), this.#fateLine(message));
    if (fate === 'sent') message.timer = setTimeout(() => this.#doubt(message, now), DOUBT_AFTER);
    this.#save();
  }

  #doubt(message, since) {
    this.#become(message, 'doubtful');
    this.#onDoubt(since);
  }

  #fateLine(message) {
    const line = make('div', { className: 'fate' }, make('span', {}, WORDS[message.fate]));
    if (message.fate === 'doubtful') line.append(button('Send again', () => this.#send(message)));
    if (message.fate !== 'sent') line.append(button('Discard', () => this.#remove(message)));
    return line;
  }

  #remove(message) {
    clearTimeout(message.timer);
    message.element.remove();
    this.#messages = this.#messages.filter(each => each !== message);
    this.#save();
  }

  #save() {
    const rest = this.#messages.map(({ text, fate }) => ({ text, fate }));
    keep(this.#storageKey, rest.length > 0 ? JSON.stringify(rest) : '');
  }

  #restore() {
    const kept = JSON.parse(recall(this.#storageKey) || '[]');
    for (const { text, fate } of kept) this.#become(this.#admit(text), fate === 'waiting' ? 'waiting' : 'doubtful');
  }
}

function button(label, act) {
  const element = make('button', { className: 'quiet', type: 'button' }, label);
  element.addEventListener('click', act);
  return element;
}
