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

/**
 * What is kept as long as the tab, or, by keepForGood(), in the browser. One that is told to keep nothing makes these
 * forget, and breaks no page.
 */
export const keep = (key, value) => keepIn('sessionStorage', key, value);
export const recall = key => recallFrom('sessionStorage', key);
export const keepForGood = (key, value) => keepIn('localStorage', key, value);
export const recallForGood = key => recallFrom('localStorage', key);

function keepIn(storage, key, value) {
  try {
    if (value) globalThis[storage].setItem(key, value);
    else globalThis[storage].removeItem(key);
  } catch { /* then it is not kept */ }
}

function recallFrom(storage, key) {
  try {
    return globalThis[storage].getItem(key) ?? '';
  } catch {
    return '';
  }
}

/** What was kept as JSON, or `fallback` when there is none, or something else was made of it. */
export function parsed(text, fallback) {
  try {
    return JSON.parse(text) ?? fallback;
  } catch {
    return fallback;
  }
}

/** `act`, called at the next frame however often it is asked for until then; hidden pages get no frames, but a look. */
export function eachFrame(act) {
  let scheduled = false;
  const run = () => {
    if (!scheduled) return;
    scheduled = false;
    act();
  };
  document.addEventListener('visibilitychange', run);
  return () => {
    if (scheduled) return;
    scheduled = true;
    requestAnimationFrame(run);
  };
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
