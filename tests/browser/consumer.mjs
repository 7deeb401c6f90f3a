/** A project of its own, as a team would have, in which the chat's client is installed by npm: the one in consumer/. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const HERE = dirname(fileURLToPath(import.meta.url));
const TOOLS = join(HERE, 'node_modules');
export const WWW = fileURLToPath(new URL('../../www', import.meta.url));

export class Consumer {
  constructor(folder) {
    this.folder = folder;
  }

  /** `installLinks` copies just the files that a packed package would have, in place of a link to the folder. */
  static async create({ installLinks }) {
    const consumer = new Consumer(await mkdtemp(join(tmpdir(), 'switchboard-consumer-')));
    await cp(join(HERE, 'consumer'), consumer.folder, { recursive: true });
    await consumer.#run('npm', ['install', '--offline', '--no-audit', '--no-fund', ...installLinks ? ['--install-links'] : [], WWW]);
    await mkdir(consumer.path('node_modules/@types'), { recursive: true });
    // What a team has of its own, without asking the network for it again.
    for (const name of ['ws', '@types/ws', '@types/node', 'undici-types']) await symlink(join(TOOLS, name), consumer.path('node_modules', name));
    return consumer;
  }

  path(...parts) {
    return join(this.folder, ...parts);
  }

  /** Runs a tool of the tests' own in the project's folder. */
  async tool(name, ...options) {
    return this.#run(join(TOOLS, '.bin', name), options);
  }

  async #run(command, options) {
    try {
      return await run(command, options, { cwd: this.folder });
    } catch ({ message, stdout, stderr }) {
      throw new Error(`${message}\n${stdout}\n${stderr}`);
    }
  }

  remove() {
    return rm(this.folder, { recursive: true, force: true });
  }
}
