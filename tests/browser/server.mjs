/** Starts the daemon for a test, on a port of its own, and stops it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';

const BINARY = process.env.SWITCHBOARD ?? fileURLToPath(new URL('../../build/switchboard', import.meta.url));
const WWW = fileURLToPath(new URL('../../www', import.meta.url));
const ADDRESS = '127.0.0.1';
const START_TIMEOUT = 15_000;
/** With these set the daemon speaks TLS: see over-tls. */
const { TLS_CERT, TLS_KEY } = process.env;
const TLS_OPTIONS = TLS_CERT ? ['--cert', TLS_CERT, '--key', TLS_KEY] : [];

export class Server {
  #daemon = null;
  #output = '';

  constructor(port, config, www) {
    this.port = port;
    this.config = config;
    this.www = www;
    this.url = TLS_CERT ? `https://localhost:${port}` : `http://${ADDRESS}:${port}`;
  }

  /** A running daemon, on a port that was free a moment ago; `config` is the path of a file, `www` of a folder. */
  static async start({ config = null, www = WWW } = {}) {
    const server = new Server(await freePort(), config, www);
    await server.start();
    return server;
  }

  /** Starts it, again after stop(), and returns when it answers. */
  async start() {
    const config = this.config ? ['--config', this.config] : [];
    this.#daemon = spawn(BINARY, [...config, '--port', String(this.port), '--www', this.www, '--address', ADDRESS, ...TLS_OPTIONS], { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#daemon.stdout, this.#daemon.stderr]) stream.on('data', chunk => this.#output += chunk);
    let failure = null;
    this.#daemon.on('error', error => failure = error.message);
    this.#daemon.on('exit', code => failure ??= `it exited with ${code}`);
    const deadline = Date.now() + START_TIMEOUT;
    while (!await this.#answers()) {
      if (!failure && Date.now() < deadline) await sleep(50);
      else throw new Error(`${BINARY} did not come up: ${failure ?? 'no answer in time'}\n${this.#output}`);
    }
  }

  stop() {
    return this.#end('SIGTERM');
  }

  /** Without a chance to tidy up. */
  kill() {
    return this.#end('SIGKILL');
  }

  async #end(signal) {
    if (!this.#daemon || this.#daemon.exitCode !== null || this.#daemon.signalCode !== null) return;
    const gone = once(this.#daemon, 'exit');
    this.#daemon.kill(signal);
    await gone;
  }

  async #answers() {
    try {
      return (await fetch(`${this.url}/healthz`)).ok;
    } catch {
      return false;
    }
  }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer().on('error', reject).listen(0, ADDRESS, () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
