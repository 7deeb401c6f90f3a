/** The status page: reads /metrics every second, and draws the last minutes of it. */
import { byId, make } from './dom.js';
import { meanDuration, parseMetrics, rate, total } from './metrics-text.js';

const INTERVAL = 1_000;
const TIMEOUT = 5_000;
const KEPT = 300; // five minutes
const FEWEST = 60; // as wide as the graph is at first
const WIDTH = 300;
const HEIGHT = 60;
const SVG = 'http://www.w3.org/2000/svg';

const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });
const short = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 3 });
const count = value => [whole.format(value), ''];
const perSecond = value => [(value < 100 ? tenths : whole).format(value), '/s'];
const duration = value => value < 1 ? [short.format(value * 1000), 'ms'] : [short.format(value), 's'];
const size = value => value < 2 ** 30 ? [short.format(value / 2 ** 20), 'MiB'] : [short.format(value / 2 ** 30), 'GiB'];

/** What may be shown; a card whose `read` gives null, because the server does not tell, is left out. */
const CARDS = [
  { title: 'Connections', form: count, read: ({ now }) => total(now, 'switchboard_connections') ?? 0 },
  { title: 'Messages received', form: perSecond, read: ({ before, now, seconds }) => rate(before, now, seconds, 'switchboard_messages_received_total') },
  { title: 'Messages delivered', form: perSecond, read: ({ before, now, seconds }) => rate(before, now, seconds, 'switchboard_messages_sent_total') },
  { title: 'Loop lag', form: duration, read: ({ now }) => total(now, 'switchboard_loop_lag_seconds') },
  { title: 'Commit time', form: duration, read: ({ before, now }) => meanDuration(before, now, 'switchboard_journal_commit_seconds_total', 'switchboard_journal_commits_total') },
  { title: 'Memory', form: size, read: ({ now }) => total(now, 'process_resident_memory_bytes') },
  { title: 'Rooms', form: count, read: ({ now }) => total(now, 'switchboard_rooms') },
  { title: 'HTTP requests', form: perSecond, read: ({ before, now, seconds }) => rate(before, now, seconds, 'switchboard_http_requests_total') },
];

let before = null;
let beforeAt = 0;
let timer = null;
let paused = false;

async function look() {
  clearTimeout(timer);
  try {
    const response = await fetch('metrics', { cache: 'no-store', signal: AbortSignal.timeout(TIMEOUT) });
    if (response.status === 403) return showRefusal();
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    show(parseMetrics(await response.text()), performance.now());
    showState('open', 'Live', '');
  } catch {
    before = null;
    showState('waiting', 'No answer', 'The server does not answer. Trying again…');
  }
  if (!paused && !document.hidden) timer = setTimeout(look, INTERVAL);
}

/** Nothing will change that while the page is open. */
function showRefusal() {
  before = null;
  showState('waiting', 'Not allowed', 'This server shows its metrics only to the addresses that its config allows, or to who sends the secret.');
}

function show(now, at) {
  const reading = { before, now, seconds: (at - beforeAt) / 1000 };
  for (const card of CARDS) {
    const value = card.read(reading);
    if (value !== null) draw(card, value);
  }
  showFigures(now);
  before = now;
  beforeAt = at;
}

function showState(state, words, trouble) {
  byId('state').dataset.state = state;
  if (byId('state').textContent !== words) byId('state').textContent = words;
  if (byId('trouble').textContent !== trouble) byId('trouble').textContent = trouble;
  byId('trouble').hidden = trouble === '';
}

function draw(card, value) {
  card.view ??= createView(card.title);
  card.values = [...card.values ?? [], value].slice(-KEPT);
  const [number, unit] = card.form(value);
  card.view.value.replaceChildren(number, ' ', make('small', {}, unit));
  const [least, most] = [Math.min(...card.values), Math.max(...card.values)];
  card.view.span.textContent = spanOf(card.form(least), card.form(most));
  const points = path(card.values, most);
  card.view.line.setAttribute('d', `M${points}`);
  card.view.area.setAttribute('d', `M${points}L${WIDTH},${HEIGHT}L${x(0, card.values.length)},${HEIGHT}Z`);
}

function spanOf([least, leastUnit], [most, mostUnit]) {
  const from = leastUnit === mostUnit ? least : `${least} ${leastUnit}`;
  return (from === most ? `steady at ${most} ${mostUnit}` : `${from} to ${most} ${mostUnit}`).trim();
}

const x = (index, length) => (WIDTH - (length - 1 - index) * WIDTH / (Math.max(length, FEWEST) - 1)).toFixed(1);

function path(values, most) {
  const top = most > 0 ? most * 1.1 : 1;
  return values.map((value, index) => `${x(index, values.length)},${(HEIGHT - value / top * HEIGHT).toFixed(1)}`).join('L');
}

/** In the order of CARDS, whenever it is that a card has something to show. */
function createView(title) {
  const view = { value: make('p', { className: 'value' }), span: make('p', { className: 'span' }), line: shape('path', 'line'), area: shape('path', 'area') };
  const base = shape('path', 'base');
  base.setAttribute('d', `M0,${HEIGHT}H${WIDTH}`);
  const graph = shape('svg', 'graph');
  graph.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
  graph.setAttribute('preserveAspectRatio', 'none');
  graph.setAttribute('aria-hidden', 'true'); // the numbers beside it say the same
  graph.append(base, view.area, view.line);
  view.element = make('li', { className: 'card' }, make('h2', {}, title), view.value, graph, view.span);
  const next = CARDS.slice(CARDS.findIndex(card => card.title === title) + 1).find(card => card.view);
  byId('cards').insertBefore(view.element, next?.view.element ?? null);
  return view;
}

function shape(tag, className) {
  const element = document.createElementNS(SVG, tag);
  element.setAttribute('class', className);
  return element;
}

/** Everything, in rows that stay the same while their names do. */
function showFigures({ samples, help }) {
  const body = byId('figures');
  samples.forEach(({ name, labels, value }, index) => {
    const row = body.rows[index] ?? body.appendChild(make('tr', {}, make('td'), make('td'), make('td', { className: 'number' })));
    const texts = [name, Object.entries(labels).map(([label, text]) => `${label}=${text}`).join(', '), value.toLocaleString(undefined, { maximumFractionDigits: 6 })];
    texts.forEach((text, column) => { if (row.cells[column].textContent !== text) row.cells[column].textContent = text; });
    row.title = help.get(name) ?? '';
  });
  while (body.rows.length > samples.length) body.lastElementChild.remove();
}

function pause() {
  paused = !paused;
  byId('pause').setAttribute('aria-pressed', String(paused));
  before = null;
  if (paused) clearTimeout(timer);
  else look();
}

byId('pause').addEventListener('click', pause);
document.addEventListener('visibilitychange', () => {
  before = null;
  if (!document.hidden && !paused) look();
});
look();
