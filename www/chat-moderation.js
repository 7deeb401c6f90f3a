/**
 * What those with the right may do about a message or a person: a menu at each of them, a question before what can't be
 * undone, and word of what became of it. The buttons that open it have the class `more`; they need not know of this.
 */
import { durationInWords } from './chat-room.js';
import { byId, make } from './dom.js';

const DURATIONS = [600, 3_600, 86_400];
const MARGIN = 8; // between the menu and the window's edges
const GAP = 4;
const TOAST_LASTS = 8_000;

const DONE = {
  delete: () => 'The message is deleted.',
  mute: (name, duration) => `${name} is muted for ${duration}.`,
  unmute: name => `${name} may speak again.`,
  kick: name => `${name} was kicked.`,
  ban: (name, duration) => `${name} is banned for ${duration}.`,
  unban: name => `${name} may come back.`,
};
const GONE = {
  delete: 'That message is not there any more.',
  unmute: 'They are not muted any more.',
  unban: 'They are not banned any more.',
};

export class Moderation {
  #menu = byId('moderator-menu');
  #items = byId('menu-items');
  #dialog = byId('delete-dialog');
  #roomShown;
  #opener = null;
  #subject = null; // { room, name, entry }; entry: the message that it is about, or null
  #rows = []; // of the menu's items
  #pressedAgain = false; // that press has closed the menu
  #toasts = new Map();

  /** `roomShown` tells whose messages and people are on the page. */
  constructor({ roomShown }) {
    this.#roomShown = roomShown;
    for (const list of [byId('log'), byId('people-list')]) {
      list.addEventListener('click', event => this.#clicked(event));
      list.addEventListener('pointerdown', ({ target }) => { this.#pressedAgain = this.#isOpen && target.closest('.more') === this.#opener; });
    }
    this.#menu.addEventListener('keydown', event => this.#keyDown(event));
    this.#menu.addEventListener('beforetoggle', ({ newState }) => this.#opener.setAttribute('aria-expanded', String(newState === 'open')));
    this.#menu.addEventListener('toggle', ({ newState }) => { if (newState === 'closed') this.#closed(); });
    window.addEventListener('resize', () => this.close());
    this.#dialog.addEventListener('close', () => this.#answered());
  }

  close() {
    if (this.#isOpen) this.#menu.hidePopover();
  }

  get #isOpen() {
    return this.#menu.matches(':popover-open');
  }

  /* The menu */

  #clicked({ target }) {
    const opener = target.closest('.more');
    if (!opener || this.#pressedAgain) {
      this.#pressedAgain = false;
      return;
    }
    const room = this.#roomShown();
    const { seq, name } = opener.closest('li').dataset;
    const entry = seq ? room.entries[room.indexOf(Number(seq))] : null;
    this.#subject = entry?.kind === 'message' ? { room, name: entry.sender, entry } : { room, name: entry?.about ?? name, entry: null };
    this.#open(opener);
  }

  #open(opener) {
    this.#opener = opener;
    byId('menu-title').textContent = this.#subject.name;
    this.#fill();
    this.#menu.showPopover();
    this.#place(opener.getBoundingClientRect());
    this.#rows[0][0].focus();
  }

  #fill() {
    const { room, name, entry } = this.#subject;
    const mayDelete = entry && !entry.deleted;
    this.#rows = [
      ...mayDelete ? [[this.#item('Delete message…', () => this.#askToDelete(), { grave: true })]] : [],
      this.#durations('Mute', 'mute'),
      ...room.isUnder('mute', name) ? [[this.#item('Unmute', () => this.#do('unmute'))]] : [],
      [this.#item('Kick', () => this.#do('kick'))],
      this.#durations('Ban', 'ban'),
      ...room.isUnder('ban', name) ? [[this.#item('Unban', () => this.#do('unban'))]] : [],
    ];
    this.#items.replaceChildren(...this.#rows.map(row => row.length === 1 ? row[0] : group(row)));
  }

  #item(label, act, { grave = false } = {}) {
    const item = make('button', { className: `menu-item${grave ? ' grave' : ''}`, type: 'button', tabIndex: -1 }, label);
    item.setAttribute('role', 'menuitem');
    item.addEventListener('click', () => { this.close(); act(); });
    return item;
  }

  #durations(word, action) {
    return DURATIONS.map(seconds => {
      const item = this.#item(durationInWords(seconds), () => this.#do(action, seconds));
      item.prepend(make('span', { className: 'for-ears' }, `${word} for `));
      item.dataset.group = `${word} for`;
      return item;
    });
  }

  /** Below the button, or above it where there is no room. */
  #place({ right, top, bottom }) {
    const { offsetWidth: width, offsetHeight: height } = this.#menu;
    const below = bottom + GAP + height + MARGIN <= innerHeight ? bottom + GAP : top - GAP - height;
    this.#menu.style.left = `${Math.max(MARGIN, Math.min(right, innerWidth - MARGIN) - width)}px`;
    this.#menu.style.top = `${Math.max(MARGIN, Math.min(below, innerHeight - MARGIN - height))}px`;
  }

  #keyDown(event) {
    if (event.key === 'Tab') return this.close();
    const row = this.#rows.findIndex(items => items.includes(document.activeElement));
    const item = this.#rows[row]?.indexOf(document.activeElement);
    const to = { ArrowDown: [row + 1, item], ArrowUp: [row - 1, item], ArrowRight: [row, item + 1], ArrowLeft: [row, item - 1], Home: [0, 0], End: [-1, Infinity] }[event.key];
    if (!to || row < 0) return;
    event.preventDefault();
    const items = this.#rows.at(to[0] % this.#rows.length);
    const isSideways = to[0] === row && to[1] !== item;
    (isSideways ? items.at(to[1] % items.length) : items[Math.min(to[1], items.length - 1)]).focus();
  }

  /** The focus goes back to where the menu was opened, unless it has been taken elsewhere. */
  #closed() {
    const isLost = document.activeElement === document.body || this.#menu.contains(document.activeElement);
    if (isLost && !this.#dialog.open) this.#goBack();
  }

  #goBack() {
    if (this.#opener?.isConnected) this.#opener.focus({ preventScroll: true });
    else byId('scroller').focus({ preventScroll: true });
  }

  /* What is done */

  #askToDelete() {
    const { entry } = this.#subject;
    byId('delete-sender').textContent = entry.sender;
    byId('delete-text').textContent = entry.text;
    this.#dialog.returnValue = '';
    this.#dialog.showModal();
  }

  #answered() {
    this.#goBack();
    if (this.#dialog.returnValue === 'delete') this.#do('delete');
  }

  async #do(action, seconds) {
    const { room, name, entry } = this.#subject;
    const facts = action === 'delete' ? { seq: entry.seq } : { user: name, ...seconds && { seconds } };
    try {
      await room.client.moderate(action, facts);
      this.#toast('done', DONE[action](name, seconds && durationInWords(seconds)));
    } catch (error) {
      this.#toast('failed', complaint(action, error));
    }
  }

  #toast(id, text) {
    for (const each of ['done', 'failed']) {
      clearTimeout(this.#toasts.get(each));
      byId(each).textContent = each === id ? text : '';
    }
    this.#toasts.set(id, setTimeout(() => { byId(id).textContent = ''; }, TOAST_LASTS));
  }
}

function group(items) {
  const label = items[0].dataset.group;
  const caption = make('span', { className: 'menu-caption' }, label);
  caption.setAttribute('aria-hidden', 'true');
  const element = make('div', { className: 'menu-group' }, caption, ...items);
  element.setAttribute('role', 'group');
  element.setAttribute('aria-label', label);
  return element;
}

function complaint(action, { code, message }) {
  if (code === 'not_found' && GONE[action]) return GONE[action];
  if (code === 'forbidden') return 'You may no longer do that in this room.';
  return `That was not done: ${message}.`;
}
