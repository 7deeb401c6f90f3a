/** What the page says of the connection of the room that is shown, and of not having one. */
import { LONGEST_NAME, State, nameProblem } from './chat-client.js';
import { byId } from './dom.js';

const WORDS = {
  [State.CONNECTING]: 'Connecting…',
  [State.OPEN]: 'Connected',
  [State.WAITING]: 'Reconnecting',
  [State.REFUSED]: 'Not connected',
  [State.CLOSED]: '',
};
const UNKNOWN = 401;
const NOT_PERMITTED = 403;
const REMOVED = 4403;

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' });
const calendar = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

export class ConnectionView {
  #countdown = null;

  show(room) {
    const { state, code, retryAt } = { state: room.state, ...room.facts };
    const isOpen = state === State.OPEN;
    const wasLost = byId('state').dataset.lost === room.name;
    // One word for the whole of an outage: it is read out, and each try would be news otherwise.
    const words = WORDS[wasLost && state === State.CONNECTING ? State.WAITING : state];
    byId('state').dataset.state = state;
    byId('state').dataset.lost = isOpen ? '' : state === State.WAITING ? room.name : byId('state').dataset.lost ?? '';
    if (byId('state').textContent !== words) byId('state').textContent = words;
    this.hide();
    byId('outage').hidden = isOpen || state === State.CONNECTING && !wasLost;
    byId('outage-text').textContent = '';
    if (isOpen) return;
    const show = () => { byId('outage-text').textContent = outageText(room); };
    show();
    byId('retry').textContent = code === REMOVED ? 'Join again' : state === State.REFUSED ? 'Try again' : 'Try now';
    byId('retry').disabled = state === State.CONNECTING;
    if (state === State.WAITING && retryAt) this.#countdown = setInterval(show, 1000);
  }

  hide() {
    clearInterval(this.#countdown);
  }
}

function outageText(room) {
  const { state, retryAt } = { state: room.state, ...room.facts };
  if (state === State.CONNECTING) return 'Connecting…';
  if (state === State.REFUSED) return removalText(room);
  const cause = navigator.onLine ? 'No connection.' : 'You are offline.';
  if (!retryAt) return cause;
  const seconds = Math.max(1, Math.ceil((retryAt - Date.now()) / 1000));
  return `${cause} Trying again in ${seconds} s`;
}

/** Why one is not in a room where one has been. */
function removalText({ facts: { code, reason }, removal, name }) {
  if (code === REMOVED && removal?.action === 'ban') return `You were banned from ${name} by ${removal.by} until ${moment(Date.now() + 1000 * removal.seconds)}.`;
  if (code === REMOVED) return reason === 'banned' ? `You were banned from ${name}.` : `You were kicked from ${name}${removal ? ` by ${removal.by}` : ''}.`;
  if (code === UNKNOWN) return 'Your sign-in has expired. Sign in again, and this page goes on by itself.';
  if (code === NOT_PERMITTED) return `You may not enter ${name}, or not yet again.`;
  return code ? `The server closed the connection${reason ? `: ${reason}` : ''}.` : 'The server did not let you into this room.';
}

/** Why nothing may be written in a room: null when it may, '' when what is said of the connection tells. */
export function reasonNotToWrite(room) {
  const { state, code } = room.facts;
  if (state === State.REFUSED && [REMOVED, NOT_PERMITTED].includes(code)) return '';
  if (!room.maySpeak) return 'You may read in this room, but not write.';
  if (room.mutedUntil > Date.now()) return `You are muted until ${moment(room.mutedUntil)}. Until then you can read, but not write.`;
  return null;
}

function moment(time) {
  return (time - Date.now() < 43_200_000 ? clock : calendar).format(time);
}

/** Why the server has not let someone in at all. */
export function refusalText({ code, reason }, name, room) {
  if (code === UNKNOWN) return 'This chat is for people who have signed in. Please sign in first, then join.';
  if (code === NOT_PERMITTED) return `You may not enter the room “${room}”.`;
  if (code === REMOVED) return `You were ${reason || 'removed'} from the room “${room}”.`;
  if (code) return `The server closed the connection${reason ? `: ${reason}` : ''}.`;
  // Browsers do not say why a handshake failed, but the rules for names are known.
  const problem = nameProblem(name);
  if (problem) return `The server refused the name “${name}”: ${problem}.`;
  const roomProblem = nameProblem(room);
  if (roomProblem) return `The server refused the room “${room}”: ${roomProblem}.`;
  return `The server did not let “${name}” into “${room}”. Names have at most ${LONGEST_NAME} characters; `
    + 'the server may also be full, or not allow this page. Try another name, or try again later.';
}
