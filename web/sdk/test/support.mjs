import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { FakeClock, FakeServer, settle } from './fake_server.mjs';

// Node 18 has it, but not as a global.
globalThis.crypto ??= (await import('node:crypto')).webcrypto;

export const sdk = await import(pathToFileURL(join(process.env.PARLEY_SDK, 'parley.mjs')).href);

/** A signed-in client, its server and its clock. */
export async function signedIn(options = {}) {
  const clock = new FakeClock();
  const server = new FakeServer();
  const client = new sdk.Parley({
    server: 'http://fake',
    fetch: server.fetch,
    makeSocket: server.makeSocket,
    clock,
    ...options,
  });
  await client.signIn({ login: 'ada', password: 'secret' });
  const seen = [];
  client.on('message.sent', (message) => seen.push(message.text));
  return { client, server, clock, seen };
}

export async function connected(options) {
  const all = await signedIn(options);
  all.client.connect();
  await settle();
  return all;
}

export { settle };
