/** How the pages look, and whom they shut out: widths, dark mode, accessibility, and pictures for people to judge. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { join, joinAnother, message, newPage, person, say, screenshot, speakAs } from './browser.mjs';
import { LOOKS, assertAccessible, assertFits } from './looks.mjs';
import { setStage } from './stage.mjs';

let server, browser;
setStage(stage => ({ server, browser } = stage));

/** Ann's page of a room where Bob and she have been talking. */
async function conversation(ann, room) {
  await join(ann, server, { name: 'Ann', room });
  await joinAnother(ann, `${room} 2`);
  await ann.goBack();
  await speakAs(ann, 'Bob', room, ['Morning! Is the new build up?', 'I only see yesterday’s.']);
  await speakAs(ann, 'Bot', `${room} 2`, ['3 of 3 done']);
  await say(ann, 'Going up now, two minutes. See https://example.org/releases/2026-11.');
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

/** From 0, black, to 255, white. */
async function lightness(page) {
  const colour = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  return colour.match(/\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0) / 3;
}

function assertLightness(value, { colorScheme }) {
  assert.ok(colorScheme === 'dark' ? value < 60 : value > 200, `a lightness of ${value} is wrong`);
}

for (const [name, options] of Object.entries(LOOKS)) {
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
    for (const width of [320, 375, 800]) await assertFits(page, width);
    assert.deepEqual(page.complaints, []);
  });

  test(`the lists and the dialog, ${name}, shut nobody out`, async () => {
    const page = await newPage(browser, options);
    await join(page, server, { name: 'Ann', room: `Lists ${name}` });
    await page.keyboard.press('Control+k');
    await page.getByLabel('Room’s name').waitFor();
    await screenshot(page, `dialog-${name}`);
    await assertAccessible(page);
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.setViewportSize({ width: 390, height: 800 });
    await page.getByRole('button', { name: 'Rooms' }).click();
    await screenshot(page, `rooms-${name}`);
    await assertAccessible(page);
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'people here' }).click();
    await person(page, 'Ann').waitFor();
    await assertAccessible(page);
  });

  test(`the status, ${name}: fits, and shuts nobody out`, async () => {
    const [page, ann] = [await newPage(browser, options), await newPage(browser)];
    await page.goto(`${server.url}/status.html`);
    await join(ann, server, { name: 'Ann', room: 'measured' });
    await say(ann, 'Something to count');
    await page.locator('.card', { hasText: 'Messages delivered' }).waitFor();
    await screenshot(page, `status-${name}`);
    assertLightness(await lightness(page), options);
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

for (const colorScheme of ['light', 'dark']) {
  test(`every name can be read on every ground, ${colorScheme}`, async () => {
    const page = await newPage(browser, { colorScheme });
    await join(page, server, { name: 'Ann', room: 'voices' });
    const contrasts = await page.evaluate(measureVoices);
    assert.equal(contrasts.length, 12 * 4);
    for (const { voice, ground, contrast } of contrasts) assert.ok(contrast >= 4.5, `voice ${voice} on ${ground}: ${contrast.toFixed(2)}`);
  });
}

/** Runs in the page: the contrast of each name's colour with what it may stand on, as WCAG 2 counts it. */
function measureVoices() {
  const context = Object.assign(document.createElement('canvas'), { width: 1, height: 1 }).getContext('2d', { willReadFrequently: true });
  const luminance = colour => {
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...context.getImageData(0, 0, 1, 1).data].map(part => part / 255).map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const probe = document.getElementById('my-avatar').firstElementChild;
  const found = [];
  for (let voice = 0; voice < 12; voice++) {
    probe.className = `avatar voice-${voice}`;
    const ink = luminance(getComputedStyle(probe).color);
    const grounds = { itself: getComputedStyle(probe).backgroundColor };
    for (const name of ['surface', 'panel', 'hover']) grounds[name] = getComputedStyle(document.documentElement).getPropertyValue(`--${name}`);
    for (const [ground, colour] of Object.entries(grounds)) {
      const [light, dark] = [ink, luminance(colour)].sort((a, b) => b - a);
      found.push({ voice, ground, contrast: (light + 0.05) / (dark + 0.05) });
    }
  }
  return found;
}

test('without a connection the page says so, and shuts nobody out', async () => {
  const ann = await newPage(browser, LOOKS.phone);
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
  const chat = await newPage(browser, LOOKS.phone);
  await conversation(chat, 'thumbs');
  for (const page of [chat, await busyConsole(LOOKS.phone)]) assert.deepEqual(await page.evaluate(tooSmall), []);
});

/** Runs in the page: what of its controls is too small for a phone. */
function tooSmall() {
  const fields = [...document.querySelectorAll('input:not([type=radio]), select, textarea')]
    .filter(field => parseFloat(getComputedStyle(field).fontSize) < 16);
  const buttons = [...document.querySelectorAll('button')]
    .filter(button => button.checkVisibility() && button.getBoundingClientRect().height < 32);
  return [...fields, ...buttons].map(control => control.id);
}
