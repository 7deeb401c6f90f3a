/** How names, times and what was said become elements. Text only ever becomes text, and links of two schemes. */
import { make } from './dom.js';

const VOICES = 12;
const CANDIDATE = /\bhttps?:\/\/[^\s<>"`{}|\\^\u2028-\u202e\u2066-\u2069]+/giu;
const CLOSERS = { ')': '(', ']': '[', '}': '{' };

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' });
const calendar = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });
const calendarWithYear = new Intl.DateTimeFormat(undefined, { dateStyle: 'full' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });

/** `text` in parts: strings, and { href, text } for what is a link. */
export function splitLinks(text) {
  const parts = [];
  let end = 0;
  for (const { 0: found, index } of text.matchAll(CANDIDATE)) {
    const address = withoutTail(found);
    const href = linkTo(address);
    if (!href) continue;
    if (index > end) parts.push(text.slice(end, index));
    parts.push({ href, text: address });
    end = index + address.length;
  }
  if (end < text.length) parts.push(text.slice(end));
  return parts;
}

/** Punctuation after an address belongs to the sentence; so does a bracket that was opened before it. */
function withoutTail(address) {
  for (;;) {
    const last = address.at(-1);
    const closesNothing = last in CLOSERS && address.split(last).length > address.split(CLOSERS[last]).length;
    if (!closesNothing && !/[.,;:!?'"’”»…*_~]/u.test(last)) return address;
    address = address.slice(0, -1);
  }
}

/** Where an address leads, or null for none; what hides its host behind a name (http://bank@other) is none. */
function linkTo(address) {
  const url = parse(address);
  return url && ['http:', 'https:'].includes(url.protocol) && url.username === '' && url.password === '' ? url.href : null;
}

function parse(address) {
  try {
    return new URL(address);
  } catch {
    return null;
  }
}

/** What was said, with its links. */
export function paragraph(text) {
  const parts = splitLinks(text).map(part => typeof part === 'string' ? part
    : make('a', { href: part.href, target: '_blank', rel: 'noopener noreferrer' }, part.text));
  return make('p', { className: 'text', dir: 'auto' }, ...parts);
}

export function timeOf(time) {
  return make('time', { dateTime: time.toISOString(), title: full.format(time) }, clock.format(time));
}

/** Today, yesterday, or the date. */
export function dayOf(time, now = new Date()) {
  const days = Math.round((startOfDay(time) - startOfDay(now)) / 86_400_000);
  if (days === 0 || days === -1) return capitalised(relative.format(days, 'day'));
  return (time.getFullYear() === now.getFullYear() ? calendar : calendarWithYear).format(time);
}

function startOfDay(time) {
  return new Date(time.getFullYear(), time.getMonth(), time.getDate());
}

function capitalised(text) {
  return text.charAt(0).toLocaleUpperCase() + text.slice(1);
}

/** A small picture that stands for a person. */
export function avatar(name) {
  const element = make('span', { className: `avatar voice-${voiceOf(name)}` }, initial(name));
  element.setAttribute('aria-hidden', 'true');
  return element;
}

/** What stands for a name in a small space: its first letter, digit or picture. */
function initial(name) {
  const letter = name.match(/[\p{L}\p{N}\p{Extended_Pictographic}]/u);
  return letter ? letter[0].toLocaleUpperCase() : '?';
}

/** The same name has the same colour on every screen. */
export function voiceOf(name) {
  let hash = 0;
  for (const character of name) hash = (hash * 31 + character.codePointAt(0)) >>> 0;
  return hash % VOICES;
}
