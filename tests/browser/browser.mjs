/** The browser that the tests drive, and what a person does in it. */
import { accessSync, constants, mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { chromium } from 'playwright-core';

const CANDIDATES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const ARGUMENTS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
  '--renderer-process-limit=1', '--disable-site-isolation-trials', // one process for all pages starts them sooner
];
const TIMEOUT = 8_000;

export const DESKTOP = { width: 1280, height: 800 };
export const PHONE = { width: 390, height: 844 };

export function launch() {
  return chromium.launch({ executablePath: findBrowser(), args: ARGUMENTS });
}

function findBrowser() {
  const found = [process.env.CHROMIUM, ...CANDIDATES].find(path => path && isExecutable(path));
  if (!found) throw new Error(`no browser: set CHROMIUM, or install one of ${CANDIDATES.join(', ')}`);
  return found;
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * A page of its own person: nothing is shared with other pages, session and name least of all.
 * `page.complaints` gathers what the console reports and what the content security policy stops.
 */
export async function newPage(browser, options = {}) {
  const context = await browser.newContext({ viewport: DESKTOP, locale: 'en-GB', ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(TIMEOUT);
  page.complaints = [];
  page.on('console', message => { if (['error', 'warning'].includes(message.type()) && !isExpected(message)) page.complaints.push(message.text()); });
  page.on('pageerror', error => page.complaints.push(String(error)));
  page.on('dialog', dialog => { page.complaints.push(`dialog: ${dialog.message()}`); return dialog.dismiss(); });
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', event => console.error(`CSP stopped ${event.violatedDirective} ${event.blockedURI}`));
  });
  return page;
}

/** Browsers and pages ask for what a server need not have, and the browser's console says so. */
function isExpected(message) {
  return /\/(api\/tickets|favicon\.ico)$/.test(message.location().url) && message.text().includes('404');
}

/** Fills in the form, and returns when the room is open. */
export async function join(page, server, { name, room = 'lobby' }) {
  await askToJoin(page, server, { name, room });
  await page.locator('#state[data-state=open]').waitFor();
}

export async function askToJoin(page, server, { name, room = 'lobby' }) {
  await page.goto(`${server.url}/?${new URLSearchParams({ room })}`);
  await page.getByLabel('Your name').fill(name);
  await page.keyboard.press('Enter');
}

export async function say(page, text) {
  await page.getByLabel('Message', { exact: true }).fill(text);
  await page.keyboard.press('Enter');
}

/** Joins one more room, from within the chat. */
export async function joinAnother(page, room) {
  await page.keyboard.press('Control+k');
  await page.getByLabel('Room’s name').fill(room);
  await page.keyboard.press('Enter');
  await page.locator('#room-name').filter({ hasText: exactly(room) }).waitFor();
  await page.locator('#state[data-state=open]').waitFor();
}

/**
 * Says `texts` as `name`, over a connection of its own: by the same module, imported into `page`, and then leaves. Where
 * the daemon asks for one, `token` says who it is.
 */
export function speakAs(page, name, room, texts, token = null) {
  return page.evaluate(async ({ name, room, texts, token }) => {
    const { ChatClient } = await import('/chat-client.js');
    const client = new ChatClient({ username: name, room, token });
    const left = [...texts];
    const atOnce = 100; // the server lets nobody have more than 256 on their way
    let kept = 0;
    await new Promise((resolve, reject) => {
      const fail = why => reject(new Error(`${JSON.stringify(name)}: ${why} after ${kept} of ${texts.length} messages`));
      const sendSome = () => left.splice(0, atOnce).forEach(text => client.send(text));
      client.addEventListener('state', ({ detail }) => {
        if (!['open', 'connecting'].includes(detail.state)) fail(`${detail.state} ${detail.code ?? ''}`);
      });
      client.addEventListener('welcome', sendSome);
      client.addEventListener('error', ({ detail }) => fail(detail.message));
      client.addEventListener('ack', () => {
        if (++kept === texts.length) resolve();
        else if (kept % atOnce === 0) sendSome();
      });
      setTimeout(() => fail('no answer'), 20_000);
      client.open();
    });
    client.close();
  }, { name, room, texts, token });
}

/** Stands in for the server's side of the chat on `page`, for what a real server does too seldom. */
export function playServer(page, onConnection) {
  let connections = 0;
  return page.routeWebSocket(/\/chat\?/, socket => {
    const { searchParams } = new URL(socket.url());
    const send = frame => socket.send(JSON.stringify(frame));
    const welcome = (facts = {}) => send({ type: 'welcome', room: searchParams.get('room'), epoch: 'e', seq: 0, members: [searchParams.get('username')], people: 1, ...facts });
    const hears = handle => socket.onMessage(data => handle(JSON.parse(data)));
    onConnection({ socket, send, welcome, hears, searchParams }, ++connections);
  });
}

/** One that the server's side may send. */
export const aMessage = facts => ({ type: 'message', sender: 'bob', message: 'hi', seq: 1, time: new Date().toISOString(), ...facts });

/** Makes the page think that nobody is looking at it, or somebody again. */
export function setHidden(page, hidden) {
  return page.evaluate(hidden => {
    Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  }, hidden);
}

/** The message with exactly this text, in the conversation of `page`. */
export function message(page, text) {
  return page.locator('#log .text').filter({ hasText: exactly(text) });
}

/** Where messages are written. */
export const draft = page => page.getByLabel('Message', { exact: true });

export const lines = (count, word = 'line') => Array.from({ length: count }, (_, index) => `${word} ${index}`);

/** Who is in the room, as `page` shows it. */
export function person(page, name) {
  return page.locator('#people-list .person-name').filter({ hasText: exactly(name) });
}

export function exactly(text) {
  return new RegExp(`^${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`);
}

/** A room in the list of `page`. */
export const roomLink = (page, room) => page.locator('#room-list .room-link', { hasText: room });

/** Waits until the newest message is what `page` shows. */
export const atEnd = page => until(page, () => {
  const { scrollHeight, scrollTop, clientHeight } = document.getElementById('scroller');
  return scrollHeight - scrollTop - clientHeight < 2;
});

/** Waits until `condition`, a function that runs in the page, holds. */
export function until(page, condition, argument) {
  return page.waitForFunction(condition, argument, { polling: 50 });
}

let screenshots = process.env.SCREENSHOTS;

export function screenshot(page, name) {
  screenshots ??= mkdtempSync(resolve(tmpdir(), 'switchboard-screenshots-'));
  mkdirSync(screenshots, { recursive: true });
  return page.screenshot({ path: resolve(screenshots, `${name}.png`), animations: 'disabled' });
}
