/** The console page, against the real daemon. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newPage, until } from './browser.mjs';
import { setStage } from './stage.mjs';

let server, browser;
setStage(stage => ({ server, browser } = stage));

async function openConsole(target = '', options = {}) {
  const page = await newPage(browser, options);
  await page.goto(`${server.url}/console.html${target && `#${target}`}`);
  return page;
}

async function connect(page) {
  await page.getByRole('button', { name: 'Connect' }).click();
  await page.locator('#state').filter({ hasText: /^Connected$/ }).waitFor();
}

async function send(page, payload) {
  await page.getByLabel('Payload').fill(payload);
  await page.getByRole('button', { name: 'Send' }).click();
}

/** The row of the log that holds all of `texts`. */
function row(page, ...texts) {
  return texts.reduce((rows, text) => rows.filter({ hasText: text }), page.locator('#log .row'));
}

test('/hello is opened, answers, and says goodbye with its code', async () => {
  const page = await openConsole();
  await page.getByLabel('Endpoint').selectOption('/hello');
  await connect(page);
  await send(page, 'hi');
  await row(page, 'sent', 'text 0x1', '2 B', 'hi').waitFor();
  await row(page, 'received', 'text 0x1', '30 B', 'Hello libwebsockets WebSockets').waitFor();
  await page.getByLabel('Code').fill('4001');
  await page.getByLabel('Reason').fill('enough');
  await page.getByRole('button', { name: 'Close', exact: true }).click();
  await row(page, 'close 0x8', '4001').waitFor();
  assert.deepEqual(page.complaints, []);
});

test('binary goes out and comes back byte for byte', async () => {
  const page = await openConsole('/echo');
  await connect(page);
  await page.getByLabel('Binary, as hex').check();
  await send(page, '00 ff 7f80');
  await row(page, 'sent', 'binary 0x2', '4 B', '00 ff 7f 80').waitFor();
  await row(page, 'received', 'binary 0x2', '4 B', '00 ff 7f 80').waitFor();

  await send(page, 'abc');
  await page.getByText('Hex takes two digits a byte').waitFor();
  assert.equal(await row(page, 'sent').count(), 1);
});

test('what comes in stays text', async () => {
  const page = await openConsole('/echo');
  await connect(page);
  await send(page, '<img src=x onerror=alert(1)>');
  await row(page, 'received', '<img src=x onerror=alert(1)>').waitFor();
  assert.equal(await page.locator('#log img').count(), 0);
  assert.deepEqual(page.complaints, []);
});

test('a refused handshake and a bad path are said', async () => {
  const page = await openConsole('/chat');
  await page.getByRole('button', { name: 'Connect' }).click();
  await row(page, 'failed', 'The handshake failed').waitFor();
  await page.getByLabel('Path and query').fill('hello');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').filter({ hasText: 'starts with one slash' }).waitFor();
  for (const path of ['//other.example/', '/\\other.example/', '/\\/other.example/', '//[']) {
    await page.goto(`${server.url}/console.html`);
    await page.goto(`${server.url}/console.html#${path}`);
    await page.reload();
    assert.equal(await page.getByLabel('Path and query').inputValue(), path);
    for (const button of ['Connect', 'GET', 'EventSource']) {
      await page.getByLabel('Path and query').fill(path);
      await page.getByRole('button', { name: button }).click();
      await page.getByRole('alert').filter({ hasText: 'starts with one slash' }).waitFor();
    }
    assert.equal(await page.locator('#log .row').filter({ hasText: 'other.example' }).count(), 0);
  }
});

test('the chat answers its sample message', async () => {
  const page = await openConsole();
  await page.getByLabel('Endpoint').selectOption('/chat?username=ann&room=lobby');
  await connect(page);
  await page.getByRole('button', { name: 'Send' }).click();
  await row(page, 'received', '"sender":"ann"', '"message":"hi"').waitFor();
});

test('GET and EventSource show the same URL over HTTP', async () => {
  const page = await openConsole('/hello');
  await page.getByRole('button', { name: 'GET' }).click();
  await row(page, 'HTTP 200', '{"message":"Hello libwebsockets"}').waitFor();
  await page.getByLabel('Endpoint').selectOption('/digits');
  await page.getByRole('button', { name: 'GET' }).click();
  await row(page, 'HTTP 200', 'event stream').waitFor();
  await page.getByRole('button', { name: 'EventSource' }).click();
  await page.locator('#log .row.in', { has: page.locator('.payload', { hasText: /^[1-9]$/ }) }).first().waitFor();
  await page.getByRole('button', { name: 'Close', exact: true }).click();
  await row(page, 'EventSource closed').waitFor();
});

test('the log is copied and cleared, and a frame is recalled', async () => {
  const page = await openConsole('/echo', { permissions: ['clipboard-read', 'clipboard-write'] });
  await connect(page);
  await send(page, 'one');
  await row(page, 'received', 'one').waitFor();
  await page.getByRole('button', { name: 'Copy log' }).click();
  await page.getByText('Copied').waitFor();
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), /\tout\ttext 0x1\t3\tone\n.*\tin\ttext 0x1\t3\tone/);

  await page.getByRole('button', { name: 'Clear' }).click();
  await row(page).first().waitFor({ state: 'detached' });
  await page.getByLabel('Payload').fill('');
  await page.getByLabel('Payload').press('ArrowUp');
  assert.equal(await page.getByLabel('Payload').inputValue(), 'one');
});

test('a server that goes away says so', async () => {
  const page = await openConsole('/echo');
  await connect(page);
  await server.stop();
  await row(page, 'close 0x8', '1001 going away').waitFor();
  await server.start();
});

test('the endpoints are those that the server describes', async () => {
  const page = await openConsole();
  const document = await (await fetch(`${server.url}/asyncapi.json`)).json();
  await until(page, count => document.getElementById('preset').options.length > count, Object.keys(document.channels).length);
  const offered = (await page.getByLabel('Endpoint').locator('option').allTextContents()).map(path => path.split('?')[0]);
  for (const { address, title } of Object.values(document.channels)) {
    assert.ok(offered.includes(address), address);
    await page.getByLabel('Endpoint').selectOption({ index: offered.indexOf(address) });
    assert.equal(await page.locator('#about').textContent(), title);
  }
  assert.deepEqual(page.complaints, []);
});

test('endpoints that this page has never heard of are offered, and without a description those it knows', async () => {
  const paths = page => page.getByLabel('Endpoint').locator('option').allTextContents();
  let document = { channels: {
    chat: { address: '/chat', title: 'The chat, as described' },
    news: { address: '/news', summary: 'What is new' },
    odd: { address: null },
  } };
  const page = await newPage(browser);
  await page.route('**/asyncapi.json', route => document ? route.fulfill({ json: document }) : route.fulfill({ status: 404, body: '' }));
  await page.goto(`${server.url}/console.html`);
  await until(page, () => document.getElementById('preset').options[1].textContent === '/news');
  assert.deepEqual((await paths(page)).slice(0, 2), ['/chat?username=ann&room=lobby', '/news']);
  assert.ok((await paths(page)).includes('/metrics'));
  await page.getByLabel('Endpoint').selectOption('/news');
  assert.equal(await page.getByLabel('Path and query').inputValue(), '/news');
  assert.equal(await page.locator('#about').textContent(), 'What is new');

  document = null;
  const answered = page.waitForResponse('**/asyncapi.json');
  await page.reload();
  await answered;
  assert.ok((await paths(page)).includes('/hello'));
  assert.equal((await paths(page)).includes('/news'), false);
});
