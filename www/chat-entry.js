/** How one entry of the conversation becomes elements. */
import { avatar, dayOf, paragraph, timeOf, voiceOf } from './chat-text.js';
import { make } from './dom.js';

const GROUP_SPAN = 5 * 60_000;
const FATES = { waiting: 'Waiting for the connection', sent: 'Sending…', doubtful: 'May not have arrived', failed: 'Not sent' };

function startsDay(entry, previous) {
  return previous === null || entry.time.toDateString() !== previous.time.toDateString();
}

/** Whether an entry belongs to the one before it: the same speaker, soon after. */
export function continues(entry, previous) {
  return previous !== null && previous.kind === 'message' && previous.sender === entry.sender
    && !startsDay(entry, previous) && entry.time - previous.time < GROUP_SPAN;
}

export function row(entry, previous, { isFirstNew, mayModerate }) {
  const goesOn = !isFirstNew && entry.kind === 'message' && continues(entry, previous);
  const element = make('li', { className: `entry${entry.own ? ' own' : ''}${goesOn ? '' : ' first'}` });
  element.dataset.seq = entry.seq;
  if (startsDay(entry, previous)) element.append(make('p', { className: 'day' }, make('span', {}, dayOf(entry.time))));
  if (isFirstNew) element.append(make('p', { className: 'divider' }, make('span', {}, 'New')));
  const content = entry.kind === 'notice' ? notice(entry) : goesOn ? continued(entry) : opening(entry);
  if (mayModerate && concerns(entry)) content.append(moreButton(concerns(entry), entry.kind === 'notice' ? '' : ', about this message'));
  element.append(content);
  return element;
}

/** Who may be moderated for it, if anyone. */
function concerns(entry) {
  return entry.kind === 'notice' ? entry.about : entry.own ? null : entry.sender;
}

/** Opens the moderators' menu. */
export function moreButton(name, rest = '') {
  const element = make('button', { className: 'icon more', type: 'button', title: `Moderate ${name}`, tabIndex: -1 });
  element.setAttribute('aria-label', `Moderate ${name}${rest}`);
  element.setAttribute('aria-haspopup', 'menu');
  element.setAttribute('aria-expanded', 'false');
  return element;
}

const nameOf = entry => entry.own ? 'You' : entry.sender;

function opening(entry) {
  return make('div', { className: 'message' }, avatar(entry.sender),
    make('div', { className: 'byline' },
      make('bdi', { className: `sender voice-${voiceOf(entry.sender)}`, title: entry.sender }, nameOf(entry)),
      timeOf(entry.time)),
    said(entry), ...mark(entry));
}

/** A later message of a group: who speaks is plain to see from the group, but has to be told to those who listen. */
function continued(entry) {
  return make('div', { className: 'message' }, timeOf(entry.time),
    make('span', { className: 'for-ears' }, make('bdi', {}, nameOf(entry)), ': '),
    said(entry), ...mark(entry));
}

function said(entry) {
  return entry.deleted ? make('p', { className: 'text gone' }, 'This message was deleted') : paragraph(entry.text);
}

/** Beside one's own messages: this one is kept. */
function mark(entry) {
  if (!entry.own || entry.deleted) return [];
  const tick = make('span', { className: 'tick', title: 'Delivered' }, '✓');
  tick.setAttribute('aria-hidden', 'true');
  return [tick, make('span', { className: 'for-ears' }, 'delivered')];
}

function notice(entry) {
  return make('p', { className: 'notice' }, ...entry.sender ? [make('bdi', {}, entry.sender), ' '] : [], make('bdi', {}, entry.text), ' ', timeOf(entry.time));
}

export function pendingRow(item, client, goesOn) {
  const element = make('li', { className: `entry own pending${goesOn ? '' : ' first'}` });
  const head = goesOn ? [make('span', { className: 'for-ears' }, 'You: ')] : [avatar(client.username),
    make('div', { className: 'byline' }, make('bdi', { className: `sender voice-${voiceOf(client.username)}` }, 'You'))];
  element.append(make('div', { className: 'message' }, ...head, paragraph(item.message), fateLine(item, client)));
  element.dataset.fate = item.fate;
  return element;
}

function fateLine({ id, fate, error }, client) {
  const line = make('div', { className: 'fate' }, make('span', {}, error ? `${FATES[fate]}: ${error}` : FATES[fate]));
  if (fate === 'doubtful' || fate === 'failed') line.append(button('Send again', () => client.retry(id)));
  if (fate !== 'sent') line.append(button('Discard', () => client.discard(id)));
  return line;
}

export function button(label, act) {
  const element = make('button', { className: 'quiet small', type: 'button' }, label);
  element.addEventListener('click', act);
  return element;
}
