/** How the pages look, and whom they shut out: widths, dark mode, accessibility, and pictures for people to judge. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { readFile } from 'node:fs/promises';
import { after, afterEach, before, test } from 'node:test';
import { DESKTOP, PHONE, join, launch, message, newPage, say, screenshot, speakAs } from './browser.mjs';
import { Server } from './server.mjs';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const phone = { viewport: PHONE, isMobile: true, hasTouch: true, deviceScaleFactor: 2 };

let server, browser;

before(async () => {
  server = await Server.start();
  browser = await launch();
});

afterEach(() => Promise.all(browser.contexts().map(context => context.close())));

after(async () => {
  await browser?.close();
  await server?.stop();
});

/** Ann's page of a room where Bob and she have been talking. */
async function conversation(ann, room) {
  await join(ann, server, { name: 'Ann', room });
  await speakAs(ann, 'Bob', room, ['Morning! Is the new build up?', 'I only see yesterday’s.']);
  await say(ann, 'Going up now, two minutes.');
  await say(ann, 'One write a member now, whatever the number of messages, so a busy room costs no more than a quiet one.');
  const endless = `No spaces: ${'endless'.repeat(40)}`;
  await speakAs(ann, 'Bob', room, [endless]);
  await message(ann, endless).waitFor();
}

async function busyConsole(options) {
  const page = await newPage(browser, options);
  await page.goto(`${server.url}/console.html#/echo`);
  await page.getByRole('button', { name: 'Connect' }).click();
  await page.getByRole('button', { name: 'Send' }).and(page.locator(':enabled')).waitFor();
  await page.getByLabel('Payload').fill(`{"message":"${'endless'.repeat(40)}"}`);
  await page.keyboard.press('Enter');
  await page.locator('.row.in').waitFor();
  return page;
}

/** Nothing sticks out of the window, and no text out of where it is written. */
async function assertFits(page, width) {
  await page.setViewportSize({ width, height: 700 });
  const sticksOut = await page.evaluate(() => [document.documentElement, ...document.querySelectorAll('.text, .payload')]
    .filter(element => element.scrollWidth > element.clientWidth).map(element => `${element.localName}.${element.className}`));
  assert.deepEqual(sticksOut, [], `${page.url()} at ${width} px`);
}

async function assertAccessible(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  const found = violations.map(({ id, help, nodes }) => `${id}: ${help}\n  ${nodes.map(node => node.html).join('\n  ')}`);
  assert.deepEqual(found, []);
}

/** From 0, black, to 255, white. */
async function lightness(page) {
  const colour = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  return colour.match(/\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0) / 3;
}

function assertLightness(value, { colorScheme }) {
  assert.ok(colorScheme === 'dark' ? value < 60 : value > 200, `a lightness of ${value} is wrong`);
}

for (const [name, options] of Object.entries({ desktop: { viewport: DESKTOP }, phone, dark: { viewport: DESKTOP, colorScheme: 'dark' } })) {
  test(`the chat, ${name}: fits, and shuts nobody out`, async () => {
    const page = await newPage(browser, options);
    await page.goto(server.url);
    await screenshot(page, `join-${name}`);
    assertLightness(await lightness(page), options);
    await assertAccessible(page);
    for (const width of [320, 375]) await assertFits(page, width);

    await page.setViewportSize(options.viewport);
    await conversation(page, `Build ${name}`);
    await screenshot(page, `chat-${name}`);
    await assertAccessible(page);
    for (const width of [320, 375]) await assertFits(page, width);
    assert.deepEqual(page.complaints, []);
  });

  test(`the console, ${name}: fits, and shuts nobody out`, async () => {
    const page = await busyConsole(options);
    await screenshot(page, `console-${name}`);
    assertLightness(await lightness(page), options);
    await assertAccessible(page);
    for (const width of [320, 375]) await assertFits(page, width);
    assert.deepEqual(page.complaints, []);
  });
}

test('without a connection the page says so, and shuts nobody out', async () => {
  const ann = await newPage(browser, phone);
  await join(ann, server, { name: 'Ann', room: 'offline' });
  await server.stop();
  await ann.getByRole('button', { name: 'Try now' }).waitFor();
  await say(ann, 'typed while away');
  await ann.locator('.pending').waitFor();
  await screenshot(ann, 'chat-offline');
  await assertAccessible(ann);
  await assertFits(ann, 320);
  await server.start();
});

test('no field makes a phone zoom in, and no target is too small for a thumb', async () => {
  const chat = await newPage(browser, phone);
  await conversation(chat, 'thumbs');
  for (const page of [chat, await busyConsole(phone)]) assert.deepEqual(await page.evaluate(tooSmall), []);
});

/** Runs in the page: what of its controls is too small for a phone. */
function tooSmall() {
  const fields = [...document.querySelectorAll('input:not([type=radio]), select, textarea')]
    .filter(field => parseFloat(getComputedStyle(field).fontSize) < 16);
  const buttons = [...document.querySelectorAll('button')]
    .filter(button => button.checkVisibility() && button.getBoundingClientRect().height < 32);
  return [...fields, ...buttons].map(control => control.id);
}
