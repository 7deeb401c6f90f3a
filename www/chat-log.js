/**
 * The conversation on the page: a window of elements onto the room's entries, however many those are, that keeps the
 * reader's place. Whoever reads the end follows it; whoever has scrolled up stays, and is told how much is new.
 */
import { button, continues, pendingRow, row } from './chat-entry.js';
import { eachFrame, plural } from './dom.js';

const WINDOW = 150; // elements while following the end
const SLACK = 50; // how many more there may be before the oldest are taken out
const MOST = 300; // elements while reading
const CHUNK = 60;
const MARGIN = 600; // so close to the window's edge more is put in
const NEAR_THE_END = 48;
const GLIDE = 500; // milliseconds that a browser may take to end a smooth scroll of before
const KEYS_THAT_GO_UP = ['ArrowUp', 'PageUp', 'Home'];

export class ChatLog {
  following = true;
  #log;
  #outbox;
  #scroller;
  #newer;
  #top;
  #empty;
  #onFollow;
  #room = null;
  #start = 0; // the window is [start, end) of the room's entries
  #end = 0;
  #known = 0; // how many entries there were when they were last drawn
  #unseen = 0;
  #place = 0; // the scroller's scrollTop, and its heights, when we last looked
  #heights = '';
  #pinnedUntil = 0;
  #stale = false; // all is to be drawn anew
  #loadFailed = false;
  #schedule = eachFrame(() => this.#sync());
  #listening = null;

  /** `onFollow` is called when the reader has come to the end. */
  constructor({ log, outbox, scroller, newer, top, empty, onFollow }) {
    this.#log = log;
    this.#outbox = outbox;
    this.#scroller = scroller;
    this.#newer = newer;
    this.#top = top;
    this.#empty = empty;
    this.#onFollow = onFollow;
    scroller.addEventListener('scroll', () => this.#scrolled(), { passive: true });
    scroller.addEventListener('wheel', event => { if (event.deltaY < 0) this.#letGo(); }, { passive: true });
    scroller.addEventListener('pointerdown', () => { this.#pinnedUntil = 0; }, { passive: true });
    scroller.addEventListener('keydown', event => this.#keyDown(event));
    log.addEventListener('focusin', ({ target }) => { if (target.matches('.more')) this.#setTabStop(target); });
    log.addEventListener('keydown', event => this.#keyDownInLog(event));
    newer.addEventListener('click', () => { this.follow(); scroller.focus({ preventScroll: true }); });
    // The composer grows, a phone's keyboard opens: whoever read the end goes on reading the end.
    const keepEnd = new ResizeObserver(() => { if (this.following) this.#toEnd(); });
    keepEnd.observe(scroller);
    keepEnd.observe(scroller.firstElementChild);
  }

  /** Shows this room, from its end; null shows none. */
  show(room) {
    this.#listening?.abort();
    if (this.#room) this.#room.mayTrim = true;
    this.#room = room;
    this.#loadFailed = false;
    this.#log.replaceChildren();
    this.#outbox.replaceChildren();
    if (!room) return;
    this.#listen(room);
    this.follow();
  }

  /** Goes to the newest message and stays with it. */
  follow() {
    if (this.#end < this.#room.entries.length) this.#stale = true;
    this.#pinnedUntil = performance.now() + GLIDE;
    this.#follow(true);
    this.#sync();
    this.#toEnd();
  }

  #listen(room) {
    this.#listening = new AbortController();
    const on = (type, act) => room.addEventListener(type, ({ detail }) => act(detail), { signal: this.#listening.signal });
    this.#stale = true;
    on('append', () => this.#schedule());
    on('prepend', ({ count }) => this.#shift(count));
    on('trim', ({ count }) => this.#shift(-count));
    on('replace', () => { this.#stale = true; this.#schedule(); });
    on('update', ({ seq }) => this.#redraw(seq));
    on('pending', () => this.#schedule());
    on('state', ({ state }) => { if (state === 'open') this.#loadFailed = false; this.#schedule(); });
  }

  /** The room's entries have moved: there are more, or fewer, in front. */
  #shift(count) {
    this.#start += count;
    this.#end += count;
    this.#known += count;
    if (this.#start < 0) this.#stale = true;
    this.#schedule();
  }

  #sync() {
    if (!this.#room) return;
    // Someone may have scrolled since the last frame, and the event that tells of it comes later than this.
    if (this.#scroller.scrollTop !== this.#place) this.#scrolled();
    const { entries } = this.#room;
    if (this.#stale || this.following && entries.length - this.#end > WINDOW) this.#rebuild();
    else if (this.following) this.#advance();
    else this.#stay();
    this.#known = entries.length;
    this.#drawOutbox();
    if (this.following) this.#toEnd();
    this.#fill();
    this.#keepTabStop();
    this.#showEdges();
  }

  #rebuild() {
    this.#stale = false;
    this.#end = this.#room.entries.length;
    this.#start = Math.max(0, this.#end - WINDOW);
    this.#log.replaceChildren(...this.#rows(this.#start, this.#end));
    if (!this.following) this.#follow(true);
  }

  #advance() {
    this.#extendTo(this.#room.entries.length);
    if (this.#end - this.#start > WINDOW + SLACK) this.#cutTop(WINDOW);
  }

  #stay() {
    const { entries } = this.#room;
    const fresh = entries.slice(this.#known).filter(entry => entry.kind === 'message').length;
    this.#unseen += fresh;
    const wasAtEnd = this.#end === this.#known;
    if (wasAtEnd) this.#extendTo(Math.min(entries.length, Math.max(this.#end, this.#start + MOST)));
  }

  #rows(from, to) {
    return this.#room.entries.slice(from, to).map((entry, index) => this.#row(from + index, entry));
  }

  #row(index, entry) {
    const divider = this.#room.divider;
    const previous = this.#room.entries[index - 1] ?? null;
    const isFirstNew = divider !== null && entry.seq > divider && (previous === null ? this.#room.complete || divider > 0 : previous.seq <= divider);
    return row(entry, previous, { isFirstNew, mayModerate: this.#room.mayModerate });
  }

  #extendTo(end) {
    this.#log.append(...this.#rows(this.#end, end));
    this.#end = end;
  }

  #cutTop(size) {
    while (this.#end - this.#start > size) {
      this.#remove(this.#log.firstElementChild);
      this.#start++;
    }
  }

  #cutBottom(size) {
    while (this.#end - this.#start > size) {
      this.#remove(this.#log.lastElementChild);
      this.#end--;
    }
  }

  #remove(element) {
    if (element.contains(document.activeElement)) this.#scroller.focus({ preventScroll: true });
    element.remove();
  }

  /** Draws what has changed about one entry, and so perhaps about how the next one goes on. */
  #redraw(seq) {
    const index = this.#room.indexOf(seq);
    for (const each of [index, index + 1]) {
      const entry = this.#room.entries[each];
      if (!entry || each < this.#start || each >= this.#end) continue;
      const before = this.#log.children[each - this.#start];
      const hadFocus = before?.contains(document.activeElement);
      const after = this.#row(each, entry);
      before?.replaceWith(after);
      if (hadFocus) (after.querySelector('.more') ?? this.#scroller).focus({ preventScroll: true });
    }
  }

  /** Puts in more where the reader comes near the window's edge. */
  #fill() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    if (scrollTop < MARGIN && this.#log.childElementCount > 0) this.#extendUp();
    if (!this.following && scrollHeight - scrollTop - clientHeight < MARGIN) this.#extendDown();
  }

  #extendUp() {
    if (this.#start === 0) return this.#loadOlder();
    const from = Math.max(0, this.#start - CHUNK);
    this.#keepPlace(this.#log.firstElementChild, () => {
      this.#log.prepend(...this.#rows(from, this.#start));
      const oldFirst = this.#start;
      this.#start = from;
      this.#redraw(this.#room.entries[oldFirst].seq);
      if (!this.following) this.#cutBottom(MOST);
      return this.#log.children[oldFirst - from];
    });
  }

  #extendDown() {
    const { entries } = this.#room;
    if (this.#end === entries.length) return;
    this.#keepPlace(this.#log.lastElementChild, () => {
      const oldLast = this.#log.lastElementChild;
      this.#extendTo(Math.min(entries.length, this.#end + CHUNK));
      this.#cutTop(MOST);
      return oldLast;
    });
  }

  /** `change` returns the element that stands for `anchor` afterwards; it stays where it was on the screen. */
  #keepPlace(anchor, change) {
    const before = anchor.getBoundingClientRect().top;
    const after = change().getBoundingClientRect().top;
    this.#scroller.scrollTop += after - before;
    this.#place = this.#scroller.scrollTop;
  }

  async #loadOlder() {
    const room = this.#room;
    if (room.complete || room.loading || this.#loadFailed) return;
    const loading = room.loadOlder();
    this.#showTop();
    const done = await loading;
    if (room !== this.#room) return;
    this.#loadFailed = !done;
    this.#schedule();
  }

  #scrolled() {
    if (!this.#room) return;
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    // When the heights have changed nobody has scrolled: the end has moved away from under who was there.
    const isMoved = this.#heights !== `${scrollHeight} ${clientHeight}` || performance.now() < this.#pinnedUntil;
    if (this.following && isMoved) return this.#toEnd();
    const toEnd = scrollHeight - scrollTop - clientHeight;
    const upwards = scrollTop < this.#place;
    this.#place = scrollTop;
    const atEnd = this.#end === this.#known && toEnd < (upwards ? 2 : NEAR_THE_END);
    if (atEnd !== this.following) this.#follow(atEnd);
    if (!atEnd) this.#schedule();
  }

  #follow(following) {
    this.following = following;
    if (this.#room) this.#room.mayTrim = following;
    if (!following) return;
    if (document.activeElement === this.#newer) this.#scroller.focus({ preventScroll: true });
    this.#unseen = 0;
    this.#newer.hidden = true;
    this.#onFollow();
  }

  /** Whoever sets out upwards must not be pulled back by the next message, before the first pixel is gone. */
  #letGo() {
    this.#pinnedUntil = 0;
    if (this.#scroller.scrollTop > 0 && this.following) this.#follow(false);
  }

  #keyDown(event) {
    if (event.target !== this.#scroller) return;
    if (KEYS_THAT_GO_UP.includes(event.key)) this.#letGo();
    if (event.key === 'End') this.follow();
  }

  /* The menus' buttons: one of them is reached by Tab, the newest or where one was last; arrows lead on from there */

  #keepTabStop() {
    if (!this.#room.mayModerate || this.#log.contains(document.activeElement)) return;
    const buttons = this.#log.querySelectorAll('.more');
    if (buttons.length > 0) this.#setTabStop(buttons[buttons.length - 1]);
  }

  #setTabStop(button) {
    for (const other of this.#log.querySelectorAll('.more[tabindex="0"]')) other.tabIndex = -1;
    button.tabIndex = 0;
  }

  #keyDownInLog(event) {
    const step = { ArrowUp: 'previousElementSibling', ArrowDown: 'nextElementSibling' }[event.key];
    if (!step || !event.target.matches('.more')) return;
    event.preventDefault();
    let entry = event.target.closest('li')[step];
    while (entry && !entry.querySelector('.more')) entry = entry[step];
    entry?.querySelector('.more').focus();
  }

  #toEnd() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#place = this.#scroller.scrollTop;
    this.#heights = `${this.#scroller.scrollHeight} ${this.#scroller.clientHeight}`;
  }

  /* What is above and below the messages */

  #showEdges() {
    this.#showTop();
    const { entries, pending, state } = this.#room;
    this.#empty.hidden = entries.length > 0 || pending.length > 0 || state !== 'open';
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    const isFar = this.#end < entries.length || scrollHeight - scrollTop - clientHeight > 2 * clientHeight;
    this.#newer.hidden = this.following || this.#unseen === 0 && !isFar;
    const text = this.#unseen > 0 ? `${plural(this.#unseen, 'new message')} ↓` : 'Newest ↓';
    if (this.#newer.textContent !== text) this.#newer.textContent = text;
  }

  #showTop() {
    const { entries, complete, loading, name } = this.#room;
    const words = entries.length === 0 ? '' : loading ? 'Loading earlier messages…'
      : this.#loadFailed ? 'Earlier messages could not be loaded.'
        : complete && this.#start === 0 ? `The beginning of ${name}` : '';
    if (this.#top.dataset.words === words) return;
    this.#top.dataset.words = words;
    this.#top.replaceChildren(words);
    if (this.#loadFailed) this.#top.append(' ', button('Try again', () => { this.#loadFailed = false; this.#loadOlder(); }));
  }

  #drawOutbox() {
    const pending = this.#end === this.#room.entries.length ? this.#room.pending : [];
    const goesOn = pending.length > 0 && continues({ sender: this.#room.client.username, time: new Date() }, this.#room.entries.at(-1) ?? null);
    const key = JSON.stringify([goesOn, pending.map(({ id, fate, error }) => [id, fate, error])]);
    if (this.#outbox.dataset.key === key && this.#outbox.childElementCount === pending.length) return;
    this.#outbox.dataset.key = key;
    const hadFocus = this.#outbox.contains(document.activeElement);
    this.#outbox.replaceChildren(...pending.map((item, index) => pendingRow(item, this.#room.client, goesOn || index > 0)));
    if (hadFocus) this.#scroller.focus({ preventScroll: true });
  }
}
