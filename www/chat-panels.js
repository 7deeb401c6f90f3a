/** The lists beside the conversation, rooms and people, and how they come and go on narrow windows. */
import { moreButton } from './chat-entry.js';
import { avatar } from './chat-text.js';
import { byId, eachFrame, make } from './dom.js';

const MOST_PEOPLE = 200;
const WIDE = matchMedia('(min-width: 1100px)');
const MEDIUM = matchMedia('(min-width: 760px)');
const byName = new Intl.Collator(undefined, { sensitivity: 'base', numeric: true }).compare;

/** Puts into `list` an item for each of `keys`, in that order; items stay the same elements, so that nobody loses the focus. */
function arrange(list, items, keys, create) {
  const wanted = new Set(keys);
  for (const [key, item] of items) {
    if (wanted.has(key)) continue;
    item.remove();
    items.delete(key);
  }
  keys.forEach((key, index) => {
    if (!items.has(key)) items.set(key, create(key));
    const item = items.get(key);
    if (list.children[index] !== item) list.insertBefore(item, list.children[index] ?? null);
  });
}

/** The list of one's rooms: `onChoose(room)` hears which one is wanted. */
export class RoomList {
  #list;
  #onChoose;
  #items = new Map();

  constructor({ list, onChoose }) {
    this.#list = list;
    this.#onChoose = onChoose;
  }

  /** `rooms` in their order. */
  show(rooms, active) {
    arrange(this.#list, this.#items, rooms, room => this.#create(room));
    for (const room of rooms) this.#update(this.#items.get(room), room, room === active);
  }

  #create(room) {
    const link = make('a', { className: 'room-link', href: roomHref(room.name) },
      make('bdi', { className: 'room-label' }, room.name), make('span', { className: 'badge', hidden: true }));
    link.addEventListener('click', event => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
      event.preventDefault();
      this.#onChoose(room);
    });
    return make('li', {}, link);
  }

  #update(item, room, isActive) {
    const link = item.firstElementChild;
    const badge = link.lastElementChild;
    if (isActive) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
    link.dataset.state = room.state;
    link.classList.toggle('out', room.isOut);
    link.title = room.state === 'closed' ? `${room.name}: not connected until you open it` : '';
    const shown = room.unread === 0 ? '' : room.unread > 999 ? '999+' : String(room.unread);
    link.classList.toggle('unread', shown !== '');
    if (badge.dataset.shown === shown) return;
    badge.dataset.shown = shown;
    badge.hidden = shown === '';
    badge.replaceChildren(shown, make('span', { className: 'for-ears' }, ' unread'));
  }
}

export function roomHref(name) {
  return `?${new URLSearchParams({ room: name })}`;
}

/** Who is in the room that is shown. */
export class PeopleList {
  #room = null;
  #items = new Map();
  #shownFor = null; // whom the items are drawn for: they differ with one's name and rights
  #draw = eachFrame(() => this.#drawNow());
  #listening = null;

  show(room) {
    this.#listening?.abort();
    this.#listening = new AbortController();
    this.#room = room;
    room?.addEventListener('people', this.#draw, { signal: this.#listening.signal });
    this.#drawNow();
  }

  #drawNow() {
    if (!this.#room) return;
    const { people, peopleCount, client } = this.#room;
    const others = [...people].filter(name => name !== client.username).sort(byName);
    const names = people.has(client.username) ? [client.username, ...others] : others;
    this.#forgetOthers(`${client.username}\n${this.#room.mayModerate}`);
    arrange(byId('people-list'), this.#items, names.slice(0, MOST_PEOPLE), name => person(name, name === client.username, this.#room.mayModerate));
    byId('people-count').textContent = peopleCount.toLocaleString();
    const more = peopleCount - Math.min(names.length, MOST_PEOPLE);
    byId('people-more').textContent = more > 0 ? `and ${more.toLocaleString()} more` : '';
  }

  #forgetOthers(key) {
    if (this.#shownFor === key) return;
    this.#shownFor = key;
    this.#items.clear();
    byId('people-list').replaceChildren();
  }
}

function person(name, isSelf, mayModerate) {
  const item = make('li', { className: 'person' }, avatar(name), make('bdi', { className: 'person-name', title: name }, name));
  item.dataset.name = name;
  if (isSelf) item.append(make('span', { className: 'hint small-print' }, 'you'));
  else if (mayModerate) item.append(Object.assign(moreButton(name), { tabIndex: 0 }));
  return item;
}

/** On narrow windows a panel lies over the conversation, one at a time, and all else is out of reach meanwhile. */
export class Panels {
  #chat = byId('chat');
  #opener = null;

  constructor() {
    byId('open-rooms').addEventListener('click', () => this.#open('rooms', byId('open-rooms')));
    byId('open-people').addEventListener('click', () => this.#togglePeople());
    byId('shade').addEventListener('click', () => this.close());
    for (const button of document.querySelectorAll('.close-panel')) button.addEventListener('click', () => this.#closeFrom(button));
    this.#chat.addEventListener('keydown', event => { if (event.key === 'Escape' && this.#chat.dataset.over) this.close(); });
    for (const query of [WIDE, MEDIUM]) query.addEventListener('change', () => this.#settle());
    this.#settle();
  }

  close() {
    if (!this.#chat.dataset.over) return;
    delete this.#chat.dataset.over;
    this.#settle();
    this.#opener?.focus();
  }

  #open(panel, opener) {
    this.#opener = opener;
    this.#chat.dataset.over = panel;
    this.#settle();
    byId(`${panel}-panel`).querySelector('.close-panel').focus();
  }

  #togglePeople() {
    if (!WIDE.matches) return this.#open('people', byId('open-people'));
    this.#chat.toggleAttribute('data-no-people');
    this.#settle();
  }

  #closeFrom(button) {
    if (this.#chat.dataset.over) return this.close();
    if (!byId('people-panel').contains(button)) return;
    this.#chat.toggleAttribute('data-no-people', true);
    this.#settle();
    byId('open-people').focus();
  }

  #settle() {
    if (WIDE.matches || MEDIUM.matches && this.#chat.dataset.over === 'rooms') delete this.#chat.dataset.over;
    const { over } = this.#chat.dataset;
    byId('room-column').inert = Boolean(over);
    byId('rooms-panel').inert = over === 'people';
    byId('people-panel').inert = over === 'rooms';
    byId('open-rooms').setAttribute('aria-expanded', String(over === 'rooms'));
    byId('open-people').setAttribute('aria-expanded', String(over === 'people' || WIDE.matches && !this.#chat.hasAttribute('data-no-people')));
  }
}
