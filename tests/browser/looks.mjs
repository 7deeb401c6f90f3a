/** What can be measured of a page's looks, and what it is looked at on. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { readFile } from 'node:fs/promises';
import { DESKTOP, PHONE } from './browser.mjs';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export const LOOKS = {
  desktop: { viewport: DESKTOP },
  phone: { viewport: PHONE, isMobile: true, hasTouch: true, deviceScaleFactor: 2 },
  dark: { viewport: DESKTOP, colorScheme: 'dark' },
};

/** Nothing sticks out of the window, and no text out of where it is written. */
export async function assertFits(page, width) {
  await page.setViewportSize({ width, height: 700 });
  const sticksOut = await page.evaluate(() => [document.documentElement, ...document.querySelectorAll('.text, .payload, .card')]
    .filter(element => element.scrollWidth > element.clientWidth).map(element => `${element.localName}.${element.className}`));
  assert.deepEqual(sticksOut, [], `${page.url()} at ${width} px`);
}

export async function assertAccessible(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
  const found = violations.map(({ id, help, nodes }) => `${id}: ${help}\n  ${nodes.map(node => node.html).join('\n  ')}`);
  assert.deepEqual(found, []);
}
