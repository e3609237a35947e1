// What is watched is told to the server once it can be told, and again after each reconnection.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connected, settle, signedIn } from './support.mjs';

/** Notes every watch that reaches the server, on a socket or with a stream. */
function noteWatches(server) {
  const told = [];
  const frame = server.socketFrame;
  server.socketFrame = function (socket, data) {
    if (data.op === 'watch') told.push(data.data.topics.join());
    return frame.call(this, socket, data);
  };
  const stream = server['GET /stream'];
  server['GET /stream'] = function (request) {
    told.push(`?${request.query.get('watch') ?? ''}`);
    return stream.call(this, request);
  };
  return told;
}

test('several changes at once are said once, and twenty topics at most', async () => {
  const { client, server, clock } = await connected();
  const told = noteWatches(server);
  client.watch(['post:1']);
  client.watch(['post:1', 'post:2', 'post:2']);
  await clock.advance(100);
  assert.deepEqual(told, ['post:1,post:2']);
  client.watch(['post:1', 'post:2']);
  await clock.advance(100);
  assert.equal(told.length, 1, 'the same is not said again');
  client.watch(Array.from({ length: 30 }, (_, i) => `post:${i}`));
  await clock.advance(100);
  assert.equal(told[1].split(',').length, 20);
});

test('watching tells when the server listens: at first, and after a reconnection', async () => {
  const { client, server, clock } = await connected();
  const told = noteWatches(server);
  const heard = [];
  client.on('watching', ({ topics }) => heard.push(topics.join()));
  client.watch(['signals']);
  await clock.advance(100);
  assert.deepEqual(heard, ['signals']);
  for (const socket of [...server.sockets]) socket.finish(1006);
  await clock.advance(5000);
  assert.deepEqual(told, ['signals', 'signals']);
  assert.deepEqual(heard, ['signals', 'signals']);
});

test('chosen before there is a connection, said when there is one', async () => {
  const { client, server, clock } = await signedIn();
  const told = noteWatches(server);
  client.watch(['admin']);
  client.connect();
  await clock.advance(100);
  assert.deepEqual(told, ['admin']);
});

test('nothing is watched: nothing is said when the connection opens', async () => {
  const { client, server, clock } = await signedIn();
  const told = noteWatches(server);
  client.connect();
  await clock.advance(100);
  assert.deepEqual(told, []);
});

test('after signing out nothing is watched', async () => {
  const { client, server, clock } = await connected();
  client.watch(['post:1']);
  await clock.advance(100);
  await client.signOut();
  const told = noteWatches(server);
  await client.signIn({ login: 'ada', password: 'secret' });
  client.connect();
  await clock.advance(100);
  assert.deepEqual(told, []);
});

test('server-sent events: the stream is opened anew, from the position on', async () => {
  const { client, server, clock, seen } = await connected({ transports: ['sse'] });
  const told = noteWatches(server);
  server.emit('message.sent', { text: 'one' });
  await settle();
  client.watch(['post:1']);
  await clock.advance(1000);
  client.watch(['post:1', 'post:2']);
  await clock.advance(1000);
  assert.deepEqual(told, [], 'not while the reader is still moving');
  await clock.advance(600);
  assert.deepEqual(told, ['?post:1,post:2']);
  server.emit('message.sent', { text: 'two' });
  await settle();
  assert.deepEqual(seen, ['one', 'two'], 'nothing lost, nothing twice');
  assert.equal(client.connection.state, 'open');
});

test('server-sent events: a topic that is refused does not cost the stream', async () => {
  const { client, server, clock, seen } = await connected({ transports: ['sse'] });
  const stream = server['GET /stream'];
  server['GET /stream'] = function (request) {
    if (request.query.get('watch'))
      return new Response('{"code": "post_not_found", "status": 404}', { status: 404 });
    return stream.call(this, request);
  };
  const refetched = [];
  client.on('refetch', ({ topics }) => refetched.push(topics.join()));
  client.watch(['post:gone']);
  await clock.advance(1600);
  assert.equal(client.connection.state, 'open');
  server.emit('message.sent', { text: 'still there' });
  await settle();
  assert.deepEqual(seen, ['still there']);
  await clock.advance(16_000);
  assert.deepEqual(refetched, ['post:gone']);
});

test('long polling: told to load again, now and then, while something is watched', async () => {
  const { client, server, clock } = await connected({ transports: ['polling'] });
  const nothing = () => new Response('{"items": [], "pos": "0"}', { status: 200 });
  server['GET /updates'] = () =>
    new Promise((resolve) => clock.after(25_000, () => resolve(nothing())));
  server.held();
  await clock.advance(2000);
  const refetched = [];
  client.on('refetch', ({ topics }) => refetched.push(topics.join()));
  await clock.advance(60_000);
  assert.equal(refetched.length, 0);
  client.watch(['post:1']);
  await clock.advance(45_500);
  assert.deepEqual(refetched, ['post:1', 'post:1', 'post:1']);
  client.watch([]);
  await clock.advance(60_000);
  assert.equal(refetched.length, 3);
});
