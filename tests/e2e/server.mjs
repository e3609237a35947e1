// One parley process on a port and a data folder of its own; can be killed and started again.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, openSync, closeSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
export const binary = process.env.PARLEY_BIN ?? join(root, 'build/parley');

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

export class Server {
  folder = mkdtempSync(join(tmpdir(), 'parley-e2e-'));
  process = null;

  /** The same port every time: a browser keeps asking where the server was. */
  async start() {
    this.port ??= await freePort();
    this.url = `http://127.0.0.1:${this.port}`;
    const log = openSync(join(this.folder, 'log'), 'a');
    this.process = spawn(
      binary,
      [
        'serve',
        '--listen',
        `127.0.0.1:${this.port}`,
        '--data',
        join(this.folder, 'data'),
        '--set',
        'limits.per_user=off',
        '--set',
        'limits.per_address=off',
      ],
      { stdio: ['ignore', 'pipe', log] },
    );
    closeSync(log);
    await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no ready line\n${this.log()}`)), 30_000);
      this.process.stdout.once('data', () => {
        clearTimeout(timer);
        resolve();
      });
      this.process.once('exit', (code) => {
        clearTimeout(timer);
        reject(new Error(`the server ended with ${code}\n${this.log()}`));
      });
    });
  }

  /** An operator's command on the folder of the running server. */
  command(...words) {
    execFileSync(binary, [...words, '--data', join(this.folder, 'data')]);
  }

  log() {
    return readFileSync(join(this.folder, 'log'), 'utf8').slice(-4000);
  }

  /** As a crash. */
  kill() {
    return this.#end('SIGKILL');
  }

  #end(signal) {
    if (!this.process || this.process.exitCode !== null) return Promise.resolve();
    const ended = new Promise((resolve) => this.process.once('exit', resolve));
    this.process.kill(signal);
    return ended.then(() => {
      this.process = null;
    });
  }

  async remove() {
    await this.#end('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}
