/**
 * The conversation on the page: puts messages into groups by speaker, and keeps the reader's place.
 * An entry is { kind, sender, text, time }, its kind one of own, other, notice and complaint.
 */
import { Batch, make, plural } from './dom.js';

const MOST_ENTRIES = 1000;
const MOST_WHILE_READING = 5000;
const GROUP_SPAN = 5 * 60_000;
const NEAR_THE_END = 48;
const VOICES = 8;
const KEYS_THAT_GO_UP = ['ArrowUp', 'PageUp', 'Home'];

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' });
const calendar = new Intl.DateTimeFormat(undefined, { dateStyle: 'full' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' });

export class ChatLog {
  #log;
  #scroller;
  #newer;
  #batch = new Batch(entries => this.#draw(entries), MOST_ENTRIES);
  #previous = null;
  #following = true;
  #place = 0;
  #unseen = 0;
  #entries = 0;

  constructor({ log, scroller, newer }) {
    this.#log = log;
    this.#scroller = scroller;
    this.#newer = newer;
    scroller.addEventListener('scroll', () => this.#scrolled(), { passive: true });
    scroller.addEventListener('wheel', event => { if (event.deltaY < 0) this.#letGo(); }, { passive: true });
    scroller.addEventListener('keydown', event => { if (KEYS_THAT_GO_UP.includes(event.key)) this.#letGo(); });
    newer.addEventListener('click', () => this.follow());
    // The composer grows, a phone's keyboard opens: whoever read the end goes on reading the end.
    const keepEnd = new ResizeObserver(() => { if (this.#following) this.#toEnd(); });
    keepEnd.observe(scroller);
    keepEnd.observe(scroller.firstElementChild);
  }

  add(entry) {
    this.#batch.add(entry);
  }

  clear() {
    this.#batch.clear();
    this.#log.replaceChildren();
    this.#previous = null;
    this.#entries = 0;
    this.follow();
  }

  /** Goes to the newest message and stays with it. */
  follow() {
    this.#following = true;
    this.#seen();
    this.#toEnd();
  }

  #draw(entries) {
    // Someone may have scrolled since the last frame, and the event that tells of it comes later than this.
    if (this.#scroller.scrollTop !== this.#place) this.#scrolled();
    for (const entry of entries) this.#append(entry);
    this.#trim();
    if (this.#following) this.#toEnd();
    else this.#missed(entries.filter(entry => entry.kind !== 'notice').length);
  }

  #append(entry) {
    const previous = this.#previous;
    if (startsDay(entry, previous)) this.#log.append(dayMark(entry.time));
    if (entry.kind === 'notice' || entry.kind === 'complaint') this.#log.append(notice(entry));
    else if (continues(entry, previous)) this.#log.lastElementChild.append(continued(entry));
    else this.#log.append(group(entry));
    this.#previous = entry;
    this.#entries++;
  }

  /** Forgets the oldest; later when someone has scrolled up, and may be reading them. */
  #trim() {
    const most = this.#following ? MOST_ENTRIES : MOST_WHILE_READING;
    while (this.#entries > most && this.#log.childElementCount > 1) {
      const oldest = this.#log.firstElementChild;
      this.#entries -= Math.max(1, oldest.getElementsByClassName('said').length);
      oldest.remove();
    }
  }

  #scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    const toEnd = scrollHeight - scrollTop - clientHeight;
    const upwards = scrollTop < this.#place;
    this.#place = scrollTop;
    this.#following = toEnd < (upwards ? 1 : NEAR_THE_END);
    if (this.#following) this.#seen();
  }

  /** Whoever sets out upwards must not be pulled back by the next message, before the first pixel is gone. */
  #letGo() {
    if (this.#scroller.scrollTop > 0) this.#following = false;
  }

  #toEnd() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#place = this.#scroller.scrollTop;
  }

  #missed(count) {
    if (count === 0) return;
    this.#unseen += count;
    this.#newer.textContent = `${plural(this.#unseen, 'new message')} ↓`;
    this.#newer.hidden = false;
  }

  #seen() {
    if (document.activeElement === this.#newer) this.#scroller.focus({ preventScroll: true });
    this.#unseen = 0;
    this.#newer.hidden = true;
  }
}

function startsDay(entry, previous) {
  const before = previous ? previous.time : new Date();
  return entry.time.toDateString() !== before.toDateString();
}

function continues(entry, previous) {
  return previous !== null && previous.kind === entry.kind && previous.sender === entry.sender
    && !startsDay(entry, previous) && entry.time - previous.time < GROUP_SPAN;
}

function group(entry) {
  const own = entry.kind === 'own';
  const element = make('div', { className: own ? 'group own' : `group other voice-${voiceOf(entry.sender)}` });
  if (!own) element.append(face(entry.sender));
  element.append(byline(entry), said(entry));
  return element;
}

function face(sender) {
  const avatar = make('div', { className: 'avatar' }, initial(sender));
  avatar.setAttribute('aria-hidden', 'true');
  return avatar;
}

function byline(entry) {
  const name = entry.kind === 'own' ? 'You' : entry.sender;
  return make('div', { className: 'byline' },
    make('bdi', { className: 'sender', title: entry.sender }, name),
    timeOf(entry.time));
}

function said(entry) {
  return make('div', { className: 'said' }, bubble(entry.text));
}

/** A later message of a group: who speaks is plain to see from the group, but has to be told to those who listen. */
function continued(entry) {
  const name = entry.kind === 'own' ? 'You' : entry.sender;
  return make('div', { className: 'said' },
    make('span', { className: 'for-ears' }, make('bdi', {}, name), ': '),
    bubble(entry.text),
    timeOf(entry.time));
}

export function bubble(text) {
  return make('p', { className: 'text', dir: 'auto' }, text);
}

function notice(entry) {
  const element = make('p', { className: `notice ${entry.kind}` });
  if (entry.sender) element.append(make('bdi', {}, entry.sender), ' ');
  element.append(make('bdi', {}, entry.text), ' ', timeOf(entry.time));
  return element;
}

function dayMark(time) {
  return make('p', { className: 'day' }, calendar.format(time));
}

function timeOf(time) {
  return make('time', { dateTime: time.toISOString(), title: full.format(time) }, clock.format(time));
}

/** What stands for a name in a small circle: its first letter, digit or picture. */
function initial(name) {
  const letter = name.match(/[\p{L}\p{N}\p{Extended_Pictographic}]/u);
  return letter ? letter[0].toLocaleUpperCase() : '?';
}

/** The same name has the same colour on every screen. */
function voiceOf(name) {
  let hash = 0;
  for (const character of name) hash = (hash * 31 + character.codePointAt(0)) >>> 0;
  return hash % VOICES;
}
