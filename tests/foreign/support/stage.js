// The companion of Keyback's own tests, as a process of its own: its clock stands still, and moves as it is told.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { ADA } from './companion.js';

const PROGRAM = fileURLToPath(new URL('../../../target/debug/stage', import.meta.url));

/** The app that it knows. */
export const SHOP = { id: 'shop', secret: 'a-secret-of-the-shop-that-is-long-enough' };

export class Stage {
  #child;
  #lines;

  /** Starts one, with Ada's account. */
  static async start() {
    if (!existsSync(PROGRAM)) {
      throw new Error(`${PROGRAM} is not there: build it with \`cargo build -p keyback-tests\`, or run tests/run`);
    }
    const stage = new Stage();
    stage.#child = spawn(PROGRAM, { stdio: ['pipe', 'pipe', 'inherit'] });
    stage.#lines = createInterface({ input: stage.#child.stdout })[Symbol.asyncIterator]();
    stage.url = new URL(await stage.#line()).origin;
    stage.issuer = `${stage.url}/oidc`;
    stage.callback = new URL('/callback', await stage.#line()).href;
    await stage.#tell(`add ${ADA.email} ${ADA.password}`);
    return stage;
  }

  /** Lets time pass; answers the time that it is then, as `Date.now` does. */
  async pass(seconds) {
    return Number(await this.#tell(`pass ${seconds}`));
  }

  /** As `keyback keys rotate` does: `announced`, or `at-once`. */
  async rotate(handover) {
    await this.#tell(`rotate ${handover}`);
  }

  async stop() {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.stdin.end();
    await ended;
  }

  #tell(line) {
    this.#child.stdin.write(`${line}\n`);
    return this.#line();
  }

  async #line() {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error('the stage has ended');
    return value;
  }
}
