/** What a test of the pages begins and ends with: a daemon, a browser, and a folder for what the daemon keeps. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join as path } from 'node:path';
import { after, afterEach, before } from 'node:test';
import { launch } from './browser.mjs';
import { Server } from './server.mjs';

/**
 * Sets a file's stage: `ready({ server, browser })` is called before its tests. Each test's pages are closed after it.
 * `configure(folder)` returns the daemon's configuration; without it the daemon has none.
 */
export function setStage(ready, configure = null) {
  let folder, server, browser;

  before(async () => {
    folder = await mkdtemp(path(tmpdir(), 'switchboard-browser-'));
    const config = configure && path(folder, 'config.json');
    if (config) await writeFile(config, JSON.stringify(configure(folder)));
    server = await Server.start({ config });
    browser = await launch();
    ready({ server, browser });
  });

  afterEach(() => Promise.all(browser.contexts().map(context => context.close())));

  after(async () => {
    await browser?.close();
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });
}
