/** Tells of messages to those who are not looking: by the window's title, by notifications when they are wanted, and by ear. */
import { byId, keepForGood, make, recallForGood } from './dom.js';

const KEY = 'switchboard.notify';
const PAUSE = 3_000; // between two notifications of a room
const LONGEST_BODY = 200;
const READ_OUT_EVERY = 700;
const MOST_READ_OUT = 3;

export class Notifier {
  #button;
  #onChoose;
  #toldAt = new Map();

  /** `onChoose(room)` hears whose notification was clicked. */
  constructor({ button, onChoose }) {
    this.#button = button;
    this.#onChoose = onChoose;
    button.hidden = !('Notification' in globalThis); // browsers give it to secure pages only
    button.addEventListener('click', () => this.#toggle());
    this.#show();
  }

  get #enabled() {
    return 'Notification' in globalThis && Notification.permission === 'granted' && recallForGood(KEY) === 'on';
  }

  tell(room, { sender, text }) {
    const now = Date.now();
    if (!document.hidden || !this.#enabled || now - (this.#toldAt.get(room) ?? 0) < PAUSE) return;
    this.#toldAt.set(room, now);
    const rest = room.unread > 1 ? ` (${room.unread.toLocaleString()} unread)` : '';
    const notification = new Notification(`${sender} in ${room.name}${rest}`,
      { body: text.slice(0, LONGEST_BODY), tag: `switchboard ${room.name}`, icon: 'favicon.svg' });
    notification.onclick = () => {
      window.focus();
      notification.close();
      this.#onChoose(room);
    };
  }

  async #toggle() {
    if (this.#enabled) keepForGood(KEY, '');
    else if (await Notification.requestPermission() === 'granted') keepForGood(KEY, 'on');
    this.#show();
  }

  #show() {
    const denied = 'Notification' in globalThis && Notification.permission === 'denied';
    this.#button.setAttribute('aria-pressed', String(this.#enabled));
    this.#button.title = denied ? 'Notifications are blocked in the browser’s settings' : this.#enabled ? 'Notifications are on' : 'Notifications are off';
  }
}

export function showTitle(room, unread) {
  document.title = room ? `${unread > 0 ? `(${unread > 999 ? '999+' : unread}) ` : ''}${room.name} · Switchboard` : 'Switchboard';
}

/** Reads new messages out, one by one while they are few, and by their number when not. */
export class Announcer {
  #entries = [];
  #timer = null;

  add(entry) {
    this.#entries.push(entry);
    this.#timer ??= setTimeout(() => this.#drawNow(), READ_OUT_EVERY);
  }

  clear() {
    this.#entries = [];
    byId('announcer').replaceChildren();
  }

  #drawNow() {
    this.#timer = null;
    const entries = this.#entries.splice(0);
    const announcer = byId('announcer');
    if (entries.length === 0) return;
    if (entries.length > MOST_READ_OUT) announcer.append(make('p', {}, `${entries.length} new messages`));
    else announcer.append(...entries.map(({ sender, text }) => make('p', {}, `${sender}: ${text}`)));
    while (announcer.childElementCount > MOST_READ_OUT) announcer.firstElementChild.remove();
  }
}
