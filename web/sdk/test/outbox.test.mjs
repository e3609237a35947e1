import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connected, sdk, settle, signedIn } from './support.mjs';

const texts = (server) => server.messages.map((message) => message.text);

/** As a browser keeps it: by person, for all pages. */
function sharedStorage() {
  const all = new Map();
  const kept = (user) =>
    [...all]
      .filter(([key]) => key.startsWith(`${user} `))
      .map(([, text]) => JSON.parse(text))
      .reverse(); // in any order but that in which they were put
  const put = (message, user) => all.set(`${user} ${message.client_id}`, JSON.stringify(message));
  const remove = (clientId, user) => all.delete(`${user} ${clientId}`);
  return { kept, outboxStorage: { load: kept, put, remove } };
}

test('a lost answer is no second message', async () => {
  const { client, server, clock } = await connected();
  server.losesAnswers = 1;
  const sent = [];
  client.outbox.events.on('sent', ({ message }) => sent.push(message.seq));
  client.send('c-1', 'hello');
  await clock.advance(15_000);
  assert.deepEqual(texts(server), ['hello']);
  assert.deepEqual(sent, [1]);
  assert.equal(client.outbox.list().length, 0);
});

test('what is written while the server is away arrives after, in order, once', async () => {
  const { client, server, clock } = await connected();
  server.kill();
  await settle();
  for (const text of ['one', 'two', 'three']) client.send('c-1', text);
  await clock.advance(30_000);
  assert.equal(server.messages.length, 0);
  assert.equal(client.outbox.list('c-1').length, 3);
  server.up = true;
  await clock.advance(20_000);
  assert.deepEqual(texts(server), ['one', 'two', 'three']);
  assert.equal(client.outbox.list().length, 0);
});

test('without a connection it goes by plain HTTP', async () => {
  const { client, server, clock } = await signedIn();
  client.send('c-1', 'hello');
  await clock.advance(0);
  assert.deepEqual(texts(server), ['hello']);
  assert.ok(server.requests.includes('POST /chats/c-1/messages'));
});

test('a refusal is final until the person says again', async () => {
  const { client, server, clock } = await connected();
  server.refuses = { status: 403, code: 'not_a_member', detail: 'You have left this chat.' };
  const entry = client.send('c-1', 'hello');
  client.send('c-1', 'second');
  await clock.advance(0);
  assert.equal(entry.state, 'failed');
  assert.equal(entry.problem.code, 'not_a_member');
  assert.deepEqual(texts(server), ['second']);
  client.outbox.retry(entry.client_id);
  await clock.advance(0);
  assert.deepEqual(texts(server), ['second', 'hello']);
});

test('a busy server is waited for', async () => {
  const { client, server, clock } = await connected();
  server.refuses = { status: 429, code: 'rate_limited' };
  client.send('c-1', 'hello');
  await clock.advance(0);
  assert.equal(server.messages.length, 0);
  await clock.advance(5000);
  assert.deepEqual(texts(server), ['hello']);
});

test('unsent messages survive the page', async () => {
  const { outboxStorage, kept } = sharedStorage();
  const first = await connected({ outboxStorage });
  first.server.kill();
  await settle();
  for (const text of ['kept', 'in order', 'of writing']) first.client.send('c-1', text);
  await settle();
  assert.equal(kept('u-1').length, 3);
  const second = await connected({ outboxStorage });
  await second.clock.advance(1000);
  assert.deepEqual(texts(second.server), ['kept', 'in order', 'of writing']);
  assert.equal(kept('u-1').length, 0);
});

test('what one person left unsent is not sent by another', async () => {
  const { outboxStorage, kept } = sharedStorage();
  const first = await connected({ outboxStorage });
  first.server.kill();
  await settle();
  first.client.send('c-1', 'only mine');
  await settle();
  // The page ends here, without a word; then somebody else signs in.
  const second = await signedIn({ outboxStorage });
  second.server.user = { id: 'u-2', username: 'tomas' };
  await second.client.signIn({ login: 'tomas', password: 'secret' });
  second.client.connect();
  second.client.send('c-1', 'from tomas');
  await second.clock.advance(1000);
  assert.deepEqual(texts(second.server), ['from tomas']);
  assert.deepEqual(
    kept('u-1').map((message) => message.text),
    ['only mine'],
  );
  const third = await connected({ outboxStorage });
  await third.clock.advance(1000);
  assert.deepEqual(texts(third.server), ['only mine']);
});

test('two pages keep what either has not sent, and send what both have once', async () => {
  const { outboxStorage, kept } = sharedStorage();
  const one = await connected({ outboxStorage });
  const other = await connected({ outboxStorage });
  for (const page of [one, other]) page.server.kill();
  await settle();
  one.client.send('c-1', 'in one');
  await one.clock.advance(5000);
  other.client.send('c-1', 'in the other');
  await other.clock.advance(5000);
  await one.clock.advance(5000);
  assert.deepEqual(
    kept('u-1').map((message) => message.text),
    ['in the other', 'in one'],
  );
  one.server.up = true;
  await one.clock.advance(30_000);
  assert.deepEqual(texts(one.server), ['in one']);
  assert.deepEqual(
    kept('u-1').map((message) => message.text),
    ['in the other'],
  );

  // A third page takes it up as well, on the same server as the other's.
  other.server.up = true;
  const third = new sdk.Parley({
    server: 'http://fake',
    fetch: other.server.fetch,
    makeSocket: other.server.makeSocket,
    clock: other.clock,
    outboxStorage,
  });
  await third.signIn({ login: 'ada', password: 'secret' });
  third.connect();
  await other.clock.advance(30_000);
  assert.deepEqual(texts(other.server), ['in the other']);
  for (const page of [other.client, third]) assert.equal(page.outbox.list().length, 0);
  assert.equal(kept('u-1').length, 0);
});

test('a discarded message is not sent', async () => {
  const { client, server, clock } = await connected();
  server.kill();
  await settle();
  const entry = client.send('c-1', 'never mind');
  await settle();
  client.outbox.discard(entry.client_id);
  server.up = true;
  await clock.advance(30_000);
  assert.equal(server.messages.length, 0);
});

test('whoever signs in next does not send what was left', async () => {
  const { client, server, clock } = await connected();
  server.kill();
  await settle();
  client.send('c-1', 'mine alone');
  await settle();
  client.session.forget('ended');
  server.up = true;
  await client.signIn({ login: 'bob', password: 'secret' });
  client.connect();
  client.send('c-1', 'from bob');
  await clock.advance(30_000);
  assert.deepEqual(texts(server), ['from bob']);
});

test('ids are UUIDv7, in order of time', () => {
  const first = sdk.uuidv7(1_700_000_000_000);
  const second = sdk.uuidv7(1_700_000_000_001);
  assert.match(first, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.ok(first < second);
  const many = Array.from({ length: 2000 }, () => sdk.uuidv7(1_700_000_000_002));
  assert.deepEqual(many, [...new Set(many)].sort());
});
