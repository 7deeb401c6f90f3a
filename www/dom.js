/** The few things that every page does with its document. Text only ever becomes text: nothing here parses HTML. */

/** A new element with the given properties and children; a string among the children is text. */
export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

export const byId = id => document.getElementById(id);

export function plural(count, one, many = `${one}s`) {
  return `${count.toLocaleString()} ${count === 1 ? one : many}`;
}

/** What lasts as long as the tab. A browser that is told to keep nothing makes these forget, and breaks no page. */
export function keep(key, value) {
  try {
    if (value) sessionStorage.setItem(key, value);
    else sessionStorage.removeItem(key);
  } catch { /* then it is not kept */ }
}

export function recall(key) {
  try {
    return sessionStorage.getItem(key) ?? '';
  } catch {
    return '';
  }
}

/** Calls `draw` with all that was put in since the last frame, at once: a flood costs one layout a frame, not one a message. */
export class Batch {
  #items = [];
  #scheduled = false;
  #draw;
  #capacity;

  constructor(draw, capacity) {
    this.#draw = draw;
    this.#capacity = capacity;
    // Hidden pages get no frames; what has gathered is drawn as soon as someone looks.
    document.addEventListener('visibilitychange', () => this.#flush());
  }

  add(item) {
    this.#items.push(item);
    if (this.#items.length > 2 * this.#capacity) this.#items.splice(0, this.#items.length - this.#capacity);
    if (this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame(() => this.#flush());
  }

  clear() {
    this.#items = [];
  }

  #flush() {
    this.#scheduled = false;
    const items = this.#items.slice(-this.#capacity);
    this.#items = [];
    if (items.length > 0) this.#draw(items);
  }
}
