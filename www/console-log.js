/** The console's log: one row a frame or event, kept as text for copying. */
import { Batch, make, plural } from './dom.js';

const MOST_ROWS = 2000;
const LONGEST_SHOWN = 8192;
const NEAR_THE_END = 4;
const WAYS = { out: '↑ sent', in: '↓ received', event: '• event', fault: '✕ failed' };

const clock = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3, hourCycle: 'h23',
});

export class ConsoleLog {
  #log;
  #scroller;
  #empty;
  #totals;
  #batch = new Batch(records => this.#draw(records), MOST_ROWS);
  #records = [];
  #counts = null;

  constructor({ log, scroller, empty, totals }) {
    this.#log = log;
    this.#scroller = scroller;
    this.#empty = empty;
    this.#totals = totals;
    this.clear();
  }

  /** `way` is out, in, event or fault; `size` counts the payload's bytes and is left out for what has none. */
  add({ way, opcode = '', size = null, text }) {
    const record = { way, opcode, size, text, time: new Date() };
    this.#records.push(record);
    if (this.#records.length > MOST_ROWS) this.#records.shift();
    if (way in this.#counts) {
      this.#counts[way].frames++;
      this.#counts[way].bytes += size ?? 0;
    }
    this.#batch.add(record);
  }

  clear() {
    this.#batch.clear();
    this.#records = [];
    this.#counts = { in: { frames: 0, bytes: 0 }, out: { frames: 0, bytes: 0 } };
    this.#log.replaceChildren();
    this.#empty.hidden = false;
    this.#showTotals();
  }

  /** One line a record, its columns parted by tabs. */
  toString() {
    return this.#records.map(({ time, way, opcode, size, text }) =>
      [time.toISOString(), way, opcode, size ?? '', text].join('\t')).join('\n');
  }

  #draw(records) {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    const following = scrollHeight - scrollTop - clientHeight < NEAR_THE_END;
    this.#empty.hidden = true;
    this.#log.append(...records.map(row));
    while (this.#log.childElementCount > MOST_ROWS) this.#log.firstElementChild.remove();
    this.#showTotals();
    if (following) this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  #showTotals() {
    const { in: received, out: sent } = this.#counts;
    this.#totals.textContent = `↑ ${sent.frames.toLocaleString()} (${bytes(sent.bytes)})  ↓ ${received.frames.toLocaleString()} (${bytes(received.bytes)})`;
  }
}

function row({ way, opcode, size, text, time }) {
  return make('div', { className: `row ${way}` },
    make('time', { dateTime: time.toISOString(), title: time.toString() }, clock.format(time)),
    make('span', { className: 'way' }, WAYS[way]),
    make('span', { className: 'opcode' }, opcode),
    make('span', { className: 'size' }, size === null ? '' : bytes(size)),
    payload(text));
}

function payload(text) {
  const element = make('pre', { className: 'payload', dir: 'auto' }, text.slice(0, LONGEST_SHOWN));
  const rest = text.length - LONGEST_SHOWN;
  if (rest > 0) element.append(make('span', { className: 'cut' }, `… and ${plural(rest, 'more character')}; “Copy log” has it all`));
  return element;
}

export function bytes(count) {
  return count < 10_000 ? `${count.toLocaleString()} B` : `${(count / 1024).toLocaleString(undefined, { maximumFractionDigits: 1 })} KiB`;
}
