/** The chat's client in Node: with the WebSocket of the package ws, and with Node's own. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { userInfo } from 'node:os';
import { createInterface } from 'node:readline';
import { after, afterEach, before, test } from 'node:test';
import { Consumer } from './consumer.mjs';
import { Server } from './server.mjs';

const CACHE = `${process.env.XDG_CACHE_HOME || `${userInfo().homedir}/.cache`}/switchboard`;
const PATIENCE = 30_000;

let consumer, server;
const programs = [];

before(async () => {
  consumer = await Consumer.create({ installLinks: false });
  await consumer.tool('tsc', '--project', 'tsconfig.node.json');
  server = await Server.start();
  await server.stop();
});

afterEach(async () => {
  for (const { process } of programs.splice(0)) process.kill();
  await server.stop();
});

after(async () => {
  await consumer?.remove();
});

/** Node with a WebSocket of its own or without; tests/run installs the one that the machine has not. */
function findNode(withWebSocket) {
  const candidates = [process.execPath, ...['node', 'node22'].map(folder => `${CACHE}/${folder}/node_modules/.bin/node`)];
  return candidates.find(path => spawnSync(path, ['-p', 'typeof WebSocket']).stdout?.toString().trim() === (withWebSocket ? 'function' : 'undefined'));
}

/** The program node.ts as it runs: what it prints is waited for, in its order. */
class Program {
  #lines;
  #seen = [];

  constructor(node, ...options) {
    this.process = spawn(node, [consumer.path('node.js'), ...options], { stdio: 'pipe' });
    this.trouble = '';
    programs.push(this);
    this.process.stderr.on('data', chunk => { this.trouble += chunk; });
    this.#lines = createInterface({ input: this.process.stdout })[Symbol.asyncIterator]();
  }

  tell(order) {
    this.process.stdin.write(`${order}\n`);
  }

  /** The next line whose facts are those of `wanted`. */
  async prints(wanted) {
    const late = setTimeout(() => this.process.kill(), PATIENCE);
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done) assert.fail(`no ${JSON.stringify(wanted)} in\n${this.#seen.join('\n')}\n${this.trouble}`);
      this.#seen.push(value);
      const facts = JSON.parse(value);
      if (!Object.entries(wanted).every(([key, fact]) => facts[key] === fact)) continue;
      clearTimeout(late);
      return facts;
    }
  }

  async ends() {
    const late = setTimeout(() => this.process.kill(), PATIENCE);
    const [code] = await once(this.process, 'exit');
    clearTimeout(late);
    return { code, trouble: this.trouble };
  }
}

/** From a server that is down to one that is up, through its death, to a good end. */
async function liveThroughIt(node, ...kind) {
  const ann = new Program(node, server.url, 'ann', ...kind);
  const { message } = await ann.prints({ type: 'error', code: 'unreachable' });
  assert.match(message, /cannot be reached: .*ECONNREFUSED/);
  const bob = new Program(node, server.url, 'bob', ...kind);
  await bob.prints({ type: 'state', state: 'waiting' });

  await server.start();
  for (const who of [ann, bob]) {
    who.tell('retry');
    await who.prints({ type: 'state', state: 'open' });
  }
  bob.tell('say hello');
  await ann.prints({ type: 'message', sender: 'bob', message: 'hello' });

  await server.kill();
  await ann.prints({ type: 'state', state: 'waiting' });
  ann.tell('say are you there?');
  await server.start();
  for (const who of [ann, bob]) who.tell('retry');
  await bob.prints({ type: 'message', sender: 'ann', message: 'are you there?' });
  await ann.prints({ type: 'ack' });

  for (const who of [ann, bob]) {
    const end = who.ends();
    who.tell('close');
    assert.deepEqual(await end, { code: 0, trouble: '' });
  }
}

const OLD = findNode(false);
const NEW = findNode(true);

test('without a WebSocket its words say what to pass', { skip: !OLD && 'no Node without one' }, async () => {
  const { code, trouble } = await new Program(OLD, 'http://localhost:3000', 'ann').ends();
  assert.equal(code, 1);
  assert.match(trouble, /TypeError: ChatClient: there is no WebSocket here: pass one/);
});

test('with ws it lives through what comes', () => liveThroughIt(OLD ?? process.execPath, 'ws'));

test('with Node’s own WebSocket it lives through what comes', { skip: !NEW && 'no Node that has one: tests/run installs it' }, () => liveThroughIt(NEW));
