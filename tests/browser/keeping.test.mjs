/** The chat page on a journal that outlives the server, and in a room with very much in it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { join, message, newPage, say, speakAs, until } from './browser.mjs';
import { setStage } from './stage.mjs';

const MANY = 10_000;
const MOST_ELEMENTS = 310;

let server, browser;
setStage(stage => ({ server, browser } = stage), folder => ({
  chat: { journal: `sqlite:${folder}/chat.db`, history: 2 * MANY, messages_per_second: 0 }, log: { level: 'warning' },
}));

const texts = page => page.locator('#log .text').allTextContents();

test('a server that is killed while people talk loses and doubles nothing', async () => {
  const [ann, bob] = [await newPage(browser), await newPage(browser)];
  await join(ann, server, { name: 'ann', room: 'killed' });
  await join(bob, server, { name: 'bob', room: 'killed' });
  const all = [];
  for (let round = 0; round < 3; round++) {
    for (const page of [ann, bob]) {
      for (let index = 0; index < 8; index++) {
        all.push(`${page === ann ? 'ann' : 'bob'} ${round} ${index}`);
        await say(page, all.at(-1));
      }
    }
    await server.kill(); // some are acknowledged, some on their way
    all.push(`ann ${round} away`);
    await say(ann, all.at(-1));
    await server.start();
    for (const page of [ann, bob]) await page.locator('#state[data-state=open]').waitFor({ timeout: 15_000 });
  }
  for (const page of [ann, bob]) {
    await until(page, count => document.querySelectorAll('#log .text').length >= count && !document.querySelector('.pending'), all.length);
    assert.deepEqual((await texts(page)).toSorted(), all.toSorted());
  }
  assert.deepEqual(await texts(ann), await texts(bob));
  const { messages } = await (await fetch(`${server.url}/api/rooms/killed/messages?limit=1000`)).json();
  assert.deepEqual(messages.map(entry => entry.message), await texts(ann));
});

test('a reload, and a restart meanwhile, shows the same conversation', async () => {
  const ann = await newPage(browser);
  await join(ann, server, { name: 'ann', room: 'same' });
  await say(ann, 'before');
  await message(ann, 'before').waitFor();
  await server.stop();
  await server.start();
  await ann.reload();
  await message(ann, 'before').waitFor();
  assert.deepEqual(await texts(ann), ['before']);
});

test('a room with 10,000 messages, and 50 more a second, stays smooth', async context => {
  const [ann, bob] = [await newPage(browser), await newPage(browser)];
  await join(ann, server, { name: 'ann', room: 'busy' });
  await join(bob, server, { name: 'bob', room: 'elsewhere' });
  await speakAs(bob, 'bob', 'busy', Array.from({ length: MANY }, (_, index) => `message ${index} of many, with a link to https://example.org/${index}`));
  await until(ann, last => document.getElementById('log').lastElementChild?.textContent.includes(last), `message ${MANY - 1} of many`);
  assert.ok(await ann.locator('#log .entry').count() <= MOST_ELEMENTS);

  const chatter = bob.evaluate(async seconds => {
    const { ChatClient } = await import('/chat-client.js');
    const client = new ChatClient({ username: 'cy', room: 'busy' });
    client.open();
    for (let count = 0; count < 50 * seconds; count++) {
      client.send(`chatter ${count}`);
      await new Promise(resolve => setTimeout(resolve, 20));
    }
    await new Promise(resolve => setTimeout(resolve, 500));
    client.close();
  }, 3);
  const following = await ann.evaluate(measureFrames, 1300);
  await ann.locator('#scroller').evaluate(it => { it.focus(); it.dispatchEvent(new WheelEvent('wheel', { deltaY: -100 })); });
  const scrolling = await ann.evaluate(measureFrames, 1300);
  await chatter;
  context.diagnostic(`following: ${JSON.stringify(following)}, scrolling up: ${JSON.stringify(scrolling)}`);
  for (const { median, worst, most } of [following, scrolling]) {
    assert.ok(median < 50, `half of the frames took more than ${median} ms`);
    assert.ok(worst < 500, `a task took ${worst} ms`);
    assert.ok(most <= MOST_ELEMENTS, `${most} entries were in the document`);
  }
  assert.ok(scrolling.up > 1000, `it went up by ${scrolling.up} pixels`);
});

/** Runs in the page: how long frames and tasks take; meanwhile it scrolls up, if the end is not being followed. */
async function measureFrames(duration) {
  const scroller = document.getElementById('scroller');
  const isFree = document.activeElement === scroller;
  const frames = [];
  let [up, most, worst] = [0, 0, 0];
  const observer = new PerformanceObserver(list => { for (const entry of list.getEntries()) worst = Math.max(worst, entry.duration); });
  observer.observe({ type: 'longtask' });
  const until = performance.now() + duration;
  let last = performance.now();
  while (last < until) {
    await new Promise(requestAnimationFrame);
    const now = performance.now();
    frames.push(now - last);
    last = now;
    most = Math.max(most, document.querySelectorAll('#log .entry').length);
    if (!isFree) continue;
    const before = scroller.scrollTop;
    scroller.scrollTop = before - 60;
    up += before - scroller.scrollTop;
  }
  observer.disconnect();
  frames.sort((a, b) => a - b);
  return { median: Math.round(frames[frames.length >> 1]), worst: Math.round(worst), most, up, frames: frames.length };
}
