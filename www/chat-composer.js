/** Where messages are written: grows with them, keeps each room's draft, and counts when they get long. */
import { LONGEST_MESSAGE, countCharacters } from './chat-client.js';
import { byId, keepForGood, plural, recallForGood } from './dom.js';

const COUNT_FROM = LONGEST_MESSAGE - 400;

export class Composer {
  #draft = byId('draft');
  #onSay;
  #onTyping;
  #key = null;

  /** `onSay(text)` hears what is to be sent, `onTyping` that something is being written. */
  constructor({ onSay, onTyping }) {
    this.#onSay = onSay;
    this.#onTyping = onTyping;
    byId('composer').addEventListener('submit', event => this.#submit(event));
    this.#draft.addEventListener('input', () => this.#input());
    this.#draft.addEventListener('keydown', event => this.#keyDown(event));
  }

  /** Goes on with the draft that is kept under `key`. */
  restore(key) {
    this.#key = key;
    this.#set(recallForGood(key));
  }

  /** Nothing may be written now, for that reason, which may be ''; null ends it. The draft is kept, and can be read. */
  bar(reason) {
    if (byId('barred').textContent !== (reason ?? '')) byId('barred').textContent = reason ?? '';
    byId('composer').toggleAttribute('data-barred', reason !== null);
    this.#draft.readOnly = reason !== null;
    this.#draft.setAttribute('aria-disabled', String(reason !== null));
    this.#showLength();
  }

  /** Unless that would bring up a keyboard over half of the screen. */
  focus() {
    if (!matchMedia('(pointer: coarse)').matches) this.#draft.focus();
  }

  #set(text) {
    this.#draft.value = text;
    this.#changed();
  }

  #submit(event) {
    event.preventDefault();
    const text = this.#draft.value.trim();
    this.#draft.focus();
    if (text === '' || this.#draft.readOnly || countCharacters(text) > LONGEST_MESSAGE) return;
    this.#set('');
    this.#onSay(text);
  }

  #keyDown(event) {
    // An Enter that picks a candidate in an input method is not meant for us.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    byId('composer').requestSubmit();
  }

  #input() {
    this.#changed();
    if (this.#draft.value.trim() !== '') this.#onTyping();
  }

  #changed() {
    const draft = this.#draft;
    keepForGood(this.#key, draft.value);
    draft.style.height = 'auto';
    draft.style.height = `${draft.scrollHeight + draft.offsetHeight - draft.clientHeight}px`;
    this.#showLength();
  }

  #showLength() {
    const text = this.#draft.value.trim();
    // Never fewer UTF-16 units than characters, and much faster to count.
    const length = text.length < COUNT_FROM ? 0 : countCharacters(text);
    const left = LONGEST_MESSAGE - length;
    const isNear = length >= COUNT_FROM;
    byId('length').textContent = !isNear ? '' : left < 0 ? `${plural(-left, 'character')} too long` : `${plural(left, 'character')} left`;
    byId('length').classList.toggle('trouble-text', left < 0);
    byId('send').disabled = left < 0 || this.#draft.readOnly;
    this.#draft.setAttribute('aria-invalid', String(left < 0));
    // To be heard once, not at each key.
    const said = left < 0 ? 'The message is too long' : isNear ? 'The message is nearly as long as it may be' : '';
    if (byId('length-said').textContent !== said) byId('length-said').textContent = said;
  }
}
