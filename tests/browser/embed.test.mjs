/** The chat in pages of a team's own: by a script tag, and bundled by Vite from TypeScript. */
import assert from 'node:assert/strict';
import { cp, mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { launch, newPage } from './browser.mjs';
import { Consumer, WWW } from './consumer.mjs';
import { Server } from './server.mjs';

let consumer, browser;

before(async () => {
  consumer = await Consumer.create({ installLinks: true });
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await consumer?.remove();
});

/** Calls `act` with a page for each of `names`, of the site in `www`. */
async function onSite(www, path, names, act) {
  const server = await Server.start({ www });
  try {
    const pages = await Promise.all(names.map(() => newPage(browser)));
    await Promise.all(pages.map((page, index) => page.goto(`${server.url}/${path}?name=${names[index]}`)));
    await act(server, ...pages);
    for (const page of pages) assert.deepEqual(page.complaints, []);
    await Promise.all(pages.map(page => page.context().close()));
  } finally {
    await server.stop();
  }
}

const shows = (page, text) => page.locator('#log li', { hasText: text }).waitFor();
const isIn = (page, state) => page.locator('#state', { hasText: state }).waitFor();

test('the package has what it needs, and the version of the server', async () => {
  const { version, files, exports } = JSON.parse(await readFile(join(WWW, 'package.json'), 'utf8'));
  assert.equal(version, (await readFile(new URL('../../meson.build', import.meta.url), 'utf8')).match(/version: '([^']+)'/)[1]);
  const installed = await readdir(consumer.path('node_modules/switchboard-chat-client'));
  assert.deepEqual(installed.toSorted(), [...files, 'package.json'].toSorted());
  for (const file of Object.values(exports['.'])) assert.ok(installed.includes(file.slice(2)), file);
});

test('a page has it by a script tag', async () => {
  const site = consumer.path('site');
  await mkdir(site);
  for (const file of ['tag.html', 'tag.js']) await cp(consumer.path(file), join(site, file));
  await cp(consumer.path('node_modules/switchboard-chat-client'), join(site, 'chat'), { recursive: true });
  await onSite(site, 'tag.html', ['ann', 'bob'], async (_, ann, bob) => {
    await isIn(ann, 'open');
    await isIn(bob, 'open');
    await shows(ann, 'ann: hello by tag');
    await shows(bob, 'bob: hello by tag');
  });
});

test('TypeScript takes the types at their strictest, and refuses mistakes', () => consumer.tool('tsc', '--project', 'tsconfig.json'));

test('Vite bundles it, and the page chats with where it came from', async () => {
  await consumer.tool('vite', 'build', '--logLevel', 'warn');
  await onSite(consumer.path('dist'), '', ['ann', 'bob'], async (server, ann, bob) => {
    await isIn(ann, 'open');
    await isIn(bob, 'open');
    await ann.getByLabel('Draft').fill('hi from a bundle');
    await ann.keyboard.press('Enter');
    await shows(bob, 'ann: hi from a bundle');
    await shows(ann, 'ann: hi from a bundle');
    const sources = await ann.evaluate(() => [...document.scripts].map(({ src }) => new URL(src).pathname));
    assert.match(sources[0], /^\/assets\/.+\.js$/);
    assert.equal((await fetch(`${server.url}/chat-client.js`)).status, 404); // it is the bundle’s
  });
});

test('a page of an origin that the server has not been told of learns of it, while it goes on trying', async () => {
  const client = ['chat-client.js', 'chat-client-server.js'].map(file => readFile(join(WWW, file), 'utf8'));
  const files = new Map([['/chat-client.js', await client[0]], ['/chat-client-server.js', await client[1]]]);
  const site = createServer(({ url }, response) => {
    response.setHeader('Content-Type', files.has(url) ? 'text/javascript' : 'text/html').end(files.get(url) ?? '<!doctype html><title>Shop</title>');
  });
  const config = consumer.path('origins.json');
  await writeFile(config, JSON.stringify({ admission: { '/chat': { require_query: ['username'], origins: ['https://elsewhere.example'] } } }));
  const server = await Server.start({ config });
  const page = await newPage(browser);
  try {
    await new Promise(resolve => site.listen(0, '127.0.0.1', resolve));
    const origin = `http://127.0.0.1:${site.address().port}`;
    await page.goto(origin);
    const { message, state } = await page.evaluate(async base => {
      const { ChatClient } = await import('/chat-client.js');
      const chat = new ChatClient({ base, username: 'ann' });
      const told = new Promise(resolve => { chat.addEventListener('error', ({ detail }) => resolve(detail)); });
      chat.addEventListener('state', () => chat.retryNow());
      chat.open();
      const { message } = await told;
      return { message, state: chat.state };
    }, server.url);
    assert.equal(message, `${server.url} does not answer pages of ${origin}: its origins have to name them`);
    assert.match(state, /waiting|connecting/);
  } finally {
    await page.context().close();
    site.close();
    await server.stop();
  }
});
