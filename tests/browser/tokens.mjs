/** JSON Web Tokens for a daemon that wants them, and people who bring one. */
import { createHmac } from 'node:crypto';

const SECRET = 'a secret of the browser tests, long enough to be one';
const COOKIE = 'session';

export const AUTH = { keys: [{ algorithm: 'HS256', secret: SECRET }], cookie: COOKIE, leeway_seconds: 0 };
export const MODERATOR = { rights: ['read', 'write', 'moderate'] };

const encode = part => Buffer.from(JSON.stringify(part)).toString('base64url');

/** Good for `seconds`; `claims` are what the token says besides. */
export function token(name, { seconds = 300, ...claims } = {}) {
  const text = [{ alg: 'HS256', typ: 'JWT' }, { sub: name, exp: Math.floor(Date.now() / 1000) + seconds, ...claims }].map(encode).join('.');
  return `${text}.${createHmac('sha256', SECRET).update(text).digest('base64url')}`;
}

/** As a login at the same site does it: the token is a cookie of `page`'s browser from now on. */
export function signIn(page, server, name, claims) {
  return page.context().addCookies([{ name: COOKIE, value: token(name, claims), url: server.url, httpOnly: true, sameSite: 'Strict' }]);
}

/** Calls the daemon's REST interface as `name`. */
export function call(server, method, path, name, claims, body) {
  const headers = { Authorization: `Bearer ${token(name, claims)}`, ...body && { 'Content-Type': 'application/json' } };
  return fetch(server.url + path, { method, headers, body: body && JSON.stringify(body) });
}
