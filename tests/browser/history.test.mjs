/** Long conversations: earlier messages, and keeping the reader’s place. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { atEnd, join, lines, message, newPage, speakAs, until } from './browser.mjs';
import { setStage } from './stage.mjs';

let server, browser;
setStage(stage => ({ server, browser } = stage), () => ({ chat: { messages_per_second: 0, history: 3000 }, log: { level: 'warning' } }));

test('earlier messages come when one scrolls up, to the first one, and the place is kept', async () => {
  const ann = await newPage(browser);
  await join(ann, server, { name: 'other', room: 'elsewhere' });
  await speakAs(ann, 'bob', 'past', lines(400));
  await join(await forget(ann), server, { name: 'ann', room: 'past' });
  await message(ann, 'line 399').waitFor();
  assert.equal(await message(ann, 'line 100').count(), 0);

  await ann.locator('#scroller').focus();
  await ann.keyboard.press('PageUp');
  for (let turn = 0; turn < 60 && await message(ann, 'line 0').count() === 0; turn++) {
    const before = await topmost(ann);
    await ann.locator('#scroller').evaluate(it => { it.scrollTop = 20; });
    await ann.waitForTimeout(60);
    const after = await topmost(ann);
    assert.ok(after <= before, `from line ${before} to ${after}`);
  }
  await message(ann, 'line 0').waitFor();
  await ann.keyboard.press('Home');
  await ann.getByText('The beginning of past').waitFor();
  const shown = await ann.locator('#log .text').allTextContents();
  assert.deepEqual(shown, lines(400).slice(0, shown.length));
  assert.ok(shown.length <= 300, `${shown.length} are in the document`);

  await ann.getByRole('button', { name: 'Newest' }).click();
  await message(ann, 'line 399').waitFor();
  await atEnd(ann);
});

/** The number of the line at the top of the window. */
function topmost(page) {
  return page.evaluate(() => {
    const { top } = document.getElementById('scroller').getBoundingClientRect();
    const entry = [...document.querySelectorAll('#log .entry')].find(it => it.getBoundingClientRect().bottom > top + 1);
    return Number(entry.querySelector('.text').textContent.split(' ')[1]);
  });
}

/** As if someone else sat down at this browser. */
async function forget(page) {
  await page.evaluate(() => { localStorage.clear(); sessionStorage.clear(); });
  return page;
}

test('earlier messages that can’t be loaded may be asked for again', async () => {
  const ann = await newPage(browser);
  await join(ann, server, { name: 'other', room: 'elsewhere' });
  await speakAs(ann, 'bob', 'flaky', lines(80));
  let fail = true;
  await ann.route('**/messages?**', route => fail ? route.fulfill({ status: 500, body: '' }) : route.continue());
  await join(await forget(ann), server, { name: 'ann', room: 'flaky' });
  await message(ann, 'line 79').waitFor();
  await ann.locator('#scroller').focus();
  await ann.keyboard.press('Home');
  await ann.getByText('could not be loaded').waitFor();
  fail = false;
  await ann.getByRole('button', { name: 'Try again' }).click();
  await message(ann, 'line 0').waitFor();
});

test('who has scrolled up stays there, and is told of what is new', async () => {
  const ann = await newPage(browser);
  await join(ann, server, { name: 'ann', room: 'scroll' });
  await speakAs(ann, 'bob', 'scroll', lines(60));
  await message(ann, 'line 59').waitFor();
  const scroller = ann.locator('#scroller');
  await atEnd(ann);

  await scroller.focus();
  await ann.keyboard.press('Home');
  await until(ann, () => document.getElementById('scroller').scrollTop === 0);
  const newer = ann.locator('#newer');
  const place = await scroller.evaluate(it => it.scrollTop);
  await speakAs(ann, 'bob', 'scroll', ['news', 'more news']);
  await newer.filter({ hasText: '2 new messages' }).waitFor();
  await until(ann, () => document.getElementById('log').textContent.includes('more news'));
  assert.equal(await scroller.evaluate(it => it.scrollTop), place);

  await newer.click();
  await atEnd(ann);
  assert.equal(await newer.isVisible(), false);
});

test('a busy room does not pull back who scrolls up', async () => {
  const [ann, bob] = [await newPage(browser), await newPage(browser)];
  await join(ann, server, { name: 'ann', room: 'busy' });
  await join(bob, server, { name: 'bob', room: 'elsewhere' });
  await bob.evaluate(async () => {
    const { ChatClient } = await import('/chat-client.js');
    const client = new ChatClient({ username: 'bob', room: 'busy' });
    client.open();
    let count = 0;
    setInterval(() => client.send(`line ${count++}`), 5);
  });
  await message(ann, 'line 60').waitFor();
  await ann.locator('#scroller').focus();
  await ann.keyboard.press('PageUp');
  await ann.locator('#newer').waitFor();
  await ann.keyboard.press('Home');
  await until(ann, () => document.getElementById('scroller').scrollTop === 0);
});

test('a flood is followed to its end', async () => {
  const [ann, bob] = [await newPage(browser), await newPage(browser)];
  await join(ann, server, { name: 'ann', room: 'flood' });
  await join(bob, server, { name: 'bob', room: 'elsewhere' });
  await speakAs(bob, 'bob', 'flood', lines(2000, 'drop'));
  await message(ann, 'drop 1999').waitFor();
  await atEnd(ann);
  const shown = await ann.locator('#log .text').allTextContents();
  assert.ok(shown.length >= 150 && shown.length <= 200, `${shown.length} are in the document`);
  assert.deepEqual(shown, lines(2000, 'drop').slice(-shown.length));
});
