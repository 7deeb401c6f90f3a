/** The status page, and how it reads /metrics. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { join as path } from 'node:path';
import { join, newPage, speakAs } from './browser.mjs';
import { setStage } from './stage.mjs';
import { meanDuration, parseMetrics, rate, total } from '../../www/metrics-text.js';

let server, browser;
setStage(stage => ({ server, browser } = stage), folder => ({ chat: { journal: `sqlite:${path(folder, 'chat.db')}` } }));

const card = (page, title) => page.locator('.card').filter({ has: page.getByRole('heading', { name: title }) });

test('metrics are read with their labels and help', () => {
  const metrics = parseMetrics('# HELP a_total What a is.\n# TYPE a_total counter\na_total{x="1",y="q\\"\\\\}"} 3\na_total{x="2",y=""} 4.5\nb +Inf\n\nnonsense\n');
  assert.deepEqual(metrics.samples, [
    { name: 'a_total', labels: { x: '1', y: 'q"\\}' }, value: 3 },
    { name: 'a_total', labels: { x: '2', y: '' }, value: 4.5 },
    { name: 'b', labels: {}, value: Infinity },
  ]);
  assert.equal(metrics.help.get('a_total'), 'What a is.');
  assert.equal(total(metrics, 'a_total'), 7.5);
  assert.equal(total(metrics, 'c'), null);
});

test('rates are told from two readings, across a restart too', () => {
  const [one, two, restarted] = ['a_total 10', 'a_total 30', 'a_total 4'].map(parseMetrics);
  assert.equal(rate(null, one, 2, 'a_total'), null);
  assert.equal(rate(one, two, 2, 'a_total'), 10);
  assert.equal(rate(two, restarted, 2, 'a_total'), 2);
  assert.equal(rate(parseMetrics(''), one, 2, 'a_total'), 5);
  assert.equal(rate(one, two, 2, 'b_total'), null);
});

test('a commit’s time is the mean of those between two readings', () => {
  const names = ['s_total', 'n_total'];
  const [none, one, two] = [[0, 0], [10, 1], [20, 1.5]].map(([count, sum]) => parseMetrics(`s_total ${sum}\nn_total ${count}\n`));
  assert.equal(meanDuration(one, two, ...names), 0.05);
  assert.equal(meanDuration(two, two, ...names), 0);
  assert.equal(meanDuration(none, none, ...names), null);
  assert.equal(meanDuration(null, one, ...names), null);
  assert.equal(meanDuration(one, parseMetrics('a 1'), ...names), null);
});

test('the page shows the server live, and says when it is gone', async () => {
  const page = await newPage(browser);
  await page.goto(`${server.url}/status.html`);
  await page.locator('#state[data-state=open]').waitFor();
  await card(page, 'Connections').locator('.value').filter({ hasText: /^0/ }).waitFor();
  await page.locator('#figures td').filter({ hasText: /^switchboard_rooms$/ }).waitFor();

  const ann = await newPage(browser);
  await join(ann, server, { name: 'ann' });
  await card(page, 'Connections').locator('.value').filter({ hasText: /^1/ }).waitFor();
  await speakAs(ann, 'bob', 'lobby', ['one', 'two', 'three', 'four']);
  await card(page, 'Messages received').locator('.value').filter({ hasText: /^[1-9]/ }).waitFor();
  await card(page, 'Commit time').locator('.span').filter({ hasText: /^0 (ms|s)? ?to [\d.,]+ m?s$/ }).waitFor();
  assert.match(await card(page, 'Messages received').locator('.line').getAttribute('d'), /^M[\d.,]+L[\d.,L]+$/);

  await server.stop();
  await page.getByRole('alert').filter({ hasText: 'does not answer' }).waitFor();
  assert.equal(await page.locator('#state').getAttribute('data-state'), 'waiting');
  await server.start();
  await page.locator('#state[data-state=open]').waitFor();
});

test('what the server tells besides is shown, what it does not is left out', async () => {
  const page = await newPage(browser);
  let count = 0;
  await page.route('**/metrics', route => {
    count++;
    return route.fulfill({ body: 'switchboard_connections{endpoint="/chat"} 7\nprocess_resident_memory_bytes 20971520\n'
      + 'switchboard_journal_commits_total 0\nswitchboard_journal_commit_seconds_total 0.000000\n' });
  });
  await page.goto(`${server.url}/status.html`);
  await card(page, 'Memory').locator('.value').filter({ hasText: '20 MiB' }).waitFor();
  while (count < 3) await page.waitForTimeout(200);
  assert.deepEqual(await page.locator('.card h2').allTextContents(), ['Connections', 'Memory']);

  await page.getByRole('button', { name: 'Pause' }).click();
  const seen = count;
  await page.waitForTimeout(1500);
  assert.equal(count, seen);
});
