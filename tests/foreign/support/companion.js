// `keyback serve` as a process of its own, with a configuration, an account and an inbox.

import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { eventually } from './eventually.js';

const PROGRAM = fileURLToPath(new URL('../../../target/debug/keyback', import.meta.url));

/** The account that every companion has. */
export const ADA = { email: 'ada@example.com', name: 'Ada Lovelace', password: 'violet otter paddles' };

export class Companion {
  #folder;
  #child;
  #log = '';

  /** Starts one. `apps` is TOML: the `[[app]]` tables, and whatever else differs. */
  static async start(apps) {
    if (!existsSync(PROGRAM)) {
      throw new Error(`${PROGRAM} is not there: build it with \`cargo build -p keyback-companion\`, or run tests/run`);
    }
    const companion = new Companion();
    companion.#folder = await mkdtemp(join(tmpdir(), 'keyback-foreign-'));
    await companion.#run(['keys', 'new', '--out', companion.path('root.key')]);
    // Between the look for a free port and its use another program may take it.
    for (let tries = 0; !companion.#child; tries += 1) {
      await companion.#configure(await freePort(), apps);
      await companion.#serve(tries === 5);
    }
    await companion.#run(
      ['user', 'add', '--email', ADA.email, '--name', ADA.name, '--password-stdin', ...companion.#config()],
      ADA.password,
    );
    return companion;
  }

  /** A file in the companion's folder. */
  path(name) {
    return join(this.#folder, name);
  }

  /** Runs a command on its configuration, such as `keys rotate`; gives what it printed. */
  command(...args) {
    return this.#run([...args, ...this.#config()]);
  }

  /** The newest code that was sent to an address. Waits for one after `seen` messages. */
  async codeFor(address, seen = 0) {
    return eventually(`a code for ${address}`, async () => {
      const letters = (await this.letters()).filter((letter) => letter.to === address && letter.code);
      return letters.length > seen ? letters[0].code : undefined;
    });
  }

  /** Every message, the newest first. */
  async letters() {
    return (await fetch(`${this.url}/dev/inbox.json`)).json();
  }

  /** Ends the process and starts it again on the same store. */
  async restart() {
    await this.#end();
    await this.#serve(true);
  }

  async stop() {
    await this.#end();
    await rm(this.#folder, { recursive: true });
  }

  async #end() {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGTERM');
    await ended;
  }

  #config() {
    return ['--config', this.path('keyback.toml')];
  }

  async #configure(port, apps) {
    this.url = `http://localhost:${port}`;
    this.issuer = `${this.url}/oidc`;
    const text = `
[server]
listen = "127.0.0.1:${port}"
public_url = "${this.url}"
[secrets]
root_key_file = "${this.path('root.key')}"
[store]
url = "sqlite:${this.path('keyback.db')}"
[email]
connector = "inbox"
[limits]
factor = 100
${apps}`;
    await writeFile(this.path('keyback.toml'), text);
  }

  async #serve(isLastTry) {
    const child = spawn(PROGRAM, ['serve', ...this.#config()], { env: bare(), stdio: ['ignore', 'ignore', 'pipe'] });
    child.stderr.on('data', (text) => (this.#log += text));
    const up = await eventually('the companion to answer', async () => {
      if (child.exitCode !== null) return 'ended';
      const answer = await fetch(`${this.issuer}/.well-known/openid-configuration`).catch(() => undefined);
      return answer?.ok ? 'up' : undefined;
    });
    if (up === 'up') this.#child = child;
    else if (isLastTry) throw new Error(`the companion did not start:\n${this.#log}`);
  }

  #run(args, input) {
    return new Promise((resolve, reject) => {
      const child = execFile(PROGRAM, args, { env: bare() }, (error, out, err) =>
        error ? reject(new Error(`keyback ${args[0]}: ${err || error.message}`)) : resolve(out),
      );
      child.stdin.end(input);
    });
  }
}

/** The environment without settings of ours. */
function bare() {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('KEYBACK_')));
}

/** A port that nobody uses now. */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** A file beside the tests. */
export function readBeside(name) {
  return readFile(new URL(name, import.meta.url), 'utf8');
}
