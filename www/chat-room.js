/**
 * What the page knows of one room: what was said, who is there, and what has not been read. It touches no DOM.
 *
 * Its events: `append`, `prepend` { count }, `replace` (all is new), `update` { seq }, `trim` { count }, `pending`,
 * `people`, `typing`, `unread`, `state` and `complaint` with the client's facts, `may` (what one may do has changed), and
 * `said` with a message of someone else's.
 *
 * An entry is { kind: 'message' | 'notice', seq, sender, text, time, own, deleted }; entries are in the order of seq.
 * Notices that are about someone have `about`, their name.
 */
const MOST_ENTRIES = 20_000;
const TRIMMED_AT_ONCE = 4_000;
const PAGE = 50;
const TYPING_LASTS = 5_000;

const LONGEST_TIMEOUT = 2 ** 31 - 1;

const DONE = { mute: 'muted', unmute: 'unmuted', kick: 'kicked', ban: 'banned', unban: 'unbanned' };
const LIFTS = { unmute: 'mute', unban: 'ban' };

export class Room extends EventTarget {
  name;
  client;
  entries = [];
  people = new Set();
  peopleCount = 0;
  unread = 0;
  divider = null; // what is after this seq is shown as new
  complete = false; // there is nothing older
  loading = false;
  mayTrim = true;
  facts = {}; // of the connection's state
  mutedUntil = 0; // as Date.now() counts
  removal = null; // the notice of one's being kicked or banned, until one is in again
  #readMark; // { epoch, seq } up to where it has been read
  #quietUntil = 0; // what is up to this seq was said before we came
  #deleted = new Set();
  #cursor = Infinity; // the oldest of which we have heard, be it an entry or not
  #typing = new Map();
  #peeked = 0; // how many of the unread messages are known of by peek() alone
  #heardAtWelcome = 0; // what is up to this seq has been taken into account by the server's welcome
  #couldModerate = false;
  #sanctions = new Map(); // by "mute name" or "ban name": { seq, until }
  #muteTimer = null;
  #claimed = new Map(); // ids of one's own messages that seem to have come back, by id

  constructor(client, readMark = null) {
    super();
    this.name = client.room;
    this.client = client;
    this.#readMark = readMark;
    const on = (type, act) => client.addEventListener(type, ({ detail }) => act(detail));
    on('state', facts => this.#stateChanged(facts));
    on('welcome', facts => this.#welcomed(facts));
    on('reset', facts => this.#reset(facts));
    on('message', frame => this.#heard(frame));
    on('deleted', frame => this.#add(this.#entryOf(frame)));
    on('delete', frame => this.#delete(frame));
    on('moderation', frame => this.#moderated(frame));
    on('presence', facts => this.#presence(facts));
    on('typing', ({ user }) => this.#typed(user));
    on('error', facts => { if (facts.code !== 'unreachable') this.#tell('complaint', facts); }); // the state says that
    on('ack', ({ id }) => this.#claimed.delete(id));
    on('pending', () => this.#tell('pending'));
  }

  get state() { return this.client.state; }
  /** Sent out, or not let in: only this room, and not for want of a login. */
  get isOut() { return this.state === 'refused' && this.facts.code !== 401; }
  get maySpeak() { return this.client.rights?.includes('write') ?? true; }
  get mayModerate() { return this.client.rights?.includes('moderate') ?? false; }
  get readMark() { return this.#readMark; }

  /** One's own messages that are on their way and not yet among the entries. */
  get pending() {
    return this.client.pending.filter(({ id }) => !this.#claimed.has(id));
  }

  get typing() {
    return [...this.#typing.keys()];
  }

  get lastSeq() {
    return this.entries.at(-1)?.seq ?? this.client.seq ?? 0;
  }

  /** Whether someone is muted or banned, as far as the notices that have come tell: `kind` is mute or ban. */
  isUnder(kind, name) {
    return (this.#sanctions.get(`${kind} ${name}`)?.until ?? 0) > Date.now();
  }

  /** Where the entry with this seq is, or where it would be. */
  indexOf(seq) {
    let low = 0;
    let high = this.entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.entries[middle].seq < seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Up to where it has been read. */
  get readTo() {
    return this.#readMark?.epoch === this.client.epoch ? this.#readMark.seq : 0;
  }

  /** Someone has seen the end of the conversation. */
  markRead() {
    const { epoch } = this.client;
    const seq = Math.max(this.lastSeq, this.readTo);
    if (epoch === null || this.unread === 0 && seq === this.readTo) return;
    this.#readMark = { epoch, seq };
    this.unread = 0;
    this.#peeked = 0;
    this.#tell('unread');
  }

  /** Asks how much is new while there is no connection. A few of these may be notices, or one's own words elsewhere. */
  async peek() {
    const page = await this.client.newest(1).catch(() => null);
    if (page === null || this.state !== 'closed') return;
    const readTo = this.#readMark?.epoch === page.epoch ? this.#readMark.seq : this.#readMark ? 0 : page.seq;
    this.#forgetPeeked();
    this.#peeked = Math.max(0, page.seq - readTo - this.unread);
    this.unread += this.#peeked;
    this.#tell('unread');
  }

  #forgetPeeked() {
    this.unread -= this.#peeked;
    this.#peeked = 0;
  }

  /** From here on it is new to whoever comes back. */
  setDivider(seq) {
    const before = this.divider;
    this.divider = seq;
    for (const mark of [before, seq]) {
      const entry = mark === null ? null : this.entries[this.indexOf(mark + 1)];
      if (entry) this.#tell('update', { seq: entry.seq });
    }
  }

  /** Fetches the page before the oldest entry. Resolves to false when it could not. */
  async loadOlder() {
    if (this.loading || this.complete || this.entries.length === 0) return true;
    this.loading = true;
    const first = this.entries[0].seq;
    const before = Math.min(first, this.#cursor);
    const { epoch } = this.client;
    try {
      const page = before > 1 ? await this.client.historyBefore(before, PAGE) : { messages: [], epoch };
      // Meanwhile everything may have been replaced.
      if (page.epoch === epoch && this.entries[0]?.seq === first) this.#prepend(page.messages);
      return true;
    } catch {
      return false;
    } finally {
      this.loading = false;
    }
  }

  #prepend(messages) {
    for (const frame of messages) {
      if (frame.type === 'delete') this.#deleted.add(frame.deleted);
      if (frame.type === 'moderation') this.#noteSanction(frame);
    }
    const older = messages.map(frame => this.#entryOf(frame)).filter(entry => entry !== null);
    older.sort((a, b) => a.seq - b.seq);
    this.#cursor = Math.min(this.#cursor, ...messages.map(({ seq }) => seq));
    this.complete = messages.length === 0 || this.#cursor <= 1;
    this.entries.unshift(...older);
    this.#tell('prepend', { count: older.length });
  }

  #stateChanged(facts) {
    this.facts = facts;
    if (facts.state === 'open') this.removal = null;
    if (facts.state === 'refused') this.#forgetPeople();
    if (facts.state !== 'open') this.#disconnected();
    this.#tell('state', facts);
  }

  /** Who is not in a room does not know who is. */
  #forgetPeople() {
    this.people.clear();
    this.peopleCount = 0;
    this.#tell('people');
  }

  #disconnected() {
    for (const user of [...this.#typing.keys()]) this.#forgetTyping(user);
    if (this.#claimed.size === 0) return;
    this.#claimed.clear(); // it was a guess, and what is sent again may come back once more
    this.#tell('pending');
  }

  #welcomed({ members, people, seq, epoch, muted_seconds: muted = 0 }) {
    this.people = new Set(members);
    this.peopleCount = people ?? this.people.size;
    this.#tell('people');
    // A room that was never read, or that began anew with nothing, has nothing unread.
    if (!this.#readMark) this.#readMark = { epoch, seq };
    this.#forgetPeeked(); // they come now
    if (this.entries.length === 0) this.#countMissed(seq);
    if (this.#quietUntil === 0) this.#quietUntil = seq;
    if (seq === 0) this.complete = true;
    this.#heardAtWelcome = seq;
    this.#mute(muted);
    if (this.mayModerate === this.#couldModerate) return;
    this.#couldModerate = this.mayModerate;
    this.#tell('replace');
  }

  #mute(seconds) {
    const left = 1000 * seconds;
    clearTimeout(this.#muteTimer);
    this.mutedUntil = left > 0 ? Date.now() + left : 0;
    if (left > 0 && left < LONGEST_TIMEOUT) this.#muteTimer = setTimeout(() => this.#mute(0), left);
    this.#tell('may');
  }

  /** Unread messages that are older than the page which is about to come. */
  #countMissed(seq) {
    this.unread = Math.max(0, seq - this.readTo - PAGE);
    if (seq > this.readTo) this.divider = this.readTo;
    if (this.unread > 0) this.#tell('unread');
  }

  #reset({ seq, epoch }) {
    this.entries = [];
    this.#deleted.clear();
    this.#cursor = Infinity;
    this.complete = seq === 0;
    this.#quietUntil = 0;
    if (this.#readMark?.epoch !== epoch) {
      this.#readMark = { epoch, seq: 0 };
      this.unread = 0;
      this.divider = null;
    }
    this.#tell('replace');
    this.#tell('unread');
  }

  #heard(frame) {
    const entry = this.#add(this.#entryOf(frame));
    if (entry.own) this.#claim(entry);
    else this.#forgetTyping(entry.sender);
    if (!entry.own && entry.seq > this.readTo) this.#countUnread(entry);
    else if (entry.own && this.unread === 0) this.markRead();
  }

  #add(entry) {
    this.entries.push(entry);
    if (entry.seq === 1) this.complete = true;
    this.#trim();
    this.#tell('append');
    return entry;
  }

  #countUnread(entry) {
    this.unread++;
    this.#tell('unread');
    if (entry.seq > this.#quietUntil) this.#tell('said', entry);
  }

  /** Most likely this is what was sent first of those with the same text; the acknowledgement will tell. */
  #claim({ text, seq }) {
    const item = this.pending.find(({ message, fate }) => fate === 'sent' && message === text);
    if (!item) return;
    this.#claimed.set(item.id, seq);
    this.#tell('pending');
  }

  /** What there is to see of a frame of the history, or null for nothing. */
  #entryOf(frame) {
    switch (frame.type) {
      case 'message': return this.#messageOf(frame);
      case 'deleted': return noticeOf(frame, '', 'A message was deleted');
      case 'moderation': return this.#moderationOf(frame);
      default: return null;
    }
  }

  #messageOf({ sender, message, seq, time }) {
    const deleted = this.#deleted.has(seq);
    return { kind: 'message', seq, sender, text: deleted ? '' : message, time: timeFrom(time), own: sender === this.client.username, deleted };
  }

  /** Of an address the server says nothing but that it was one, in words. */
  #moderationOf(frame) {
    const { action, user, by, seconds } = frame;
    const isMe = user === this.client.username;
    if (!user || !DONE[action]) return noticeOf(frame, '', frame.message);
    const what = `${isMe ? 'were' : 'was'} ${DONE[action]}${by ? ` by ${by}` : ''}${seconds ? ` for ${durationInWords(seconds)}` : ''}`;
    return { ...noticeOf(frame, isMe ? 'You' : user, what), about: isMe ? null : user };
  }

  #delete({ deleted }) {
    this.#deleted.add(deleted);
    const entry = this.entries[this.indexOf(deleted)];
    if (entry?.seq !== deleted || entry.kind !== 'message') return;
    entry.deleted = true;
    entry.text = '';
    this.#tell('update', { seq: deleted });
  }

  #moderated(frame) {
    this.#noteSanction(frame);
    const entry = this.#add(this.#entryOf(frame));
    if (frame.user !== this.client.username || frame.seq <= this.#heardAtWelcome) return;
    if (frame.action === 'mute') this.#mute(frame.seconds);
    else if (frame.action === 'unmute') this.#mute(0);
    else if (frame.action === 'kick' || frame.action === 'ban') this.removal = { ...frame, text: entry.text };
  }

  #noteSanction({ action, user, seq, seconds, time }) {
    const kind = LIFTS[action] ?? action;
    const key = `${kind} ${user}`;
    if (!user || kind === 'kick' || seq < (this.#sanctions.get(key)?.seq ?? 0)) return;
    this.#sanctions.set(key, { seq, until: kind === action ? timeFrom(time).valueOf() + 1000 * seconds : 0 });
  }

  #presence({ joined, left, people }) {
    for (const name of left) {
      this.people.delete(name);
      this.#forgetTyping(name);
    }
    for (const name of joined) this.people.add(name);
    this.peopleCount = people ?? this.people.size;
    this.#tell('people');
  }

  #typed(user) {
    this.#forgetTyping(user);
    this.#typing.set(user, setTimeout(() => this.#forgetTyping(user), TYPING_LASTS));
    this.#tell('typing');
  }

  #forgetTyping(user) {
    if (!this.#typing.has(user)) return;
    clearTimeout(this.#typing.get(user));
    this.#typing.delete(user);
    this.#tell('typing');
  }

  /** Forgets the oldest, unless someone is reading there; they come back when someone scrolls up. */
  #trim() {
    if (this.entries.length <= MOST_ENTRIES || !this.mayTrim) return;
    this.entries.splice(0, TRIMMED_AT_ONCE);
    this.#cursor = Infinity;
    this.complete = false;
    this.#tell('trim', { count: TRIMMED_AT_ONCE });
  }

  #tell(type, detail = null) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

function noticeOf({ seq, time }, sender, text) {
  return { kind: 'notice', seq, sender, text, time: timeFrom(time), own: false, deleted: false };
}

/** As a whole number of the largest unit that it is one of. */
export function durationInWords(seconds) {
  const [size, name] = [[86_400, 'day'], [3_600, 'hour'], [60, 'minute'], [1, 'second']].find(([size]) => seconds % size === 0);
  const count = seconds / size;
  return `${count.toLocaleString()} ${name}${count === 1 ? '' : 's'}`;
}

function timeFrom(text) {
  const time = new Date(text);
  return Number.isNaN(time.valueOf()) ? new Date() : time;
}
