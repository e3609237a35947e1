import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connected, settle } from './support.mjs';

test('a killed server: back at its position, nothing missed, nothing repeated', async () => {
  const { client, server, clock, seen } = await connected();
  server.emit('message.sent', { text: 'one' });
  assert.equal(client.connection.state, 'open');
  server.kill();
  await settle();
  assert.equal(client.connection.state, 'waiting');
  server.emit('message.sent', { text: 'two' });
  server.emit('message.sent', { text: 'three' });
  await clock.advance(3000);
  assert.notEqual(client.connection.state, 'open');
  server.up = true;
  await clock.advance(20_000);
  assert.equal(client.connection.state, 'open');
  assert.equal(client.connection.transport, 'websocket');
  assert.deepEqual(seen, ['one', 'two', 'three']);
  assert.equal(server.opened.at(-1), '1');
});

test('waits grow while the server is away, and stay below the cap', async () => {
  const { server, clock } = await connected();
  server.kill();
  await settle();
  server.requests.length = 0;
  let attempts = 0;
  const makeSocket = server.socketOpened;
  server.socketOpened = function (socket) {
    attempts++;
    return makeSocket.call(this, socket);
  };
  await clock.advance(10 * 60_000);
  assert.ok(attempts > 40, `tried only ${attempts} times`);
  assert.ok(attempts < 130, `tried ${attempts} times in ten minutes`);
});

test('4009 with retry_after is obeyed', async () => {
  const { client, server, clock } = await connected();
  for (const socket of [...server.sockets]) socket.finish(4009, '{"retry_after": 7}');
  await clock.advance(6900);
  assert.equal(client.connection.state, 'waiting');
  await clock.advance(2000);
  assert.equal(client.connection.state, 'open');
});

test('4001 renews the token and comes back at once', async () => {
  const { client, server, clock } = await connected();
  for (const socket of [...server.sockets]) socket.finish(4001);
  await clock.advance(0);
  assert.equal(server.renewals, 1);
  assert.equal(client.connection.state, 'open');
});

test('4003 with an ended session signs out', async () => {
  const { client, server, clock } = await connected();
  let reason;
  client.session.events.on('signedOut', (data) => (reason = data.reason));
  server.sessionOver = true;
  for (const socket of [...server.sockets]) socket.finish(4003);
  await clock.advance(0);
  assert.equal(reason, 'ended');
  assert.equal(client.connection.state, 'idle');
});

test('silence is asked about, then the connection is made anew', async () => {
  const { client, server, clock } = await connected();
  server.answersOps = false;
  await clock.advance(26_000);
  assert.equal(client.connection.state, 'open');
  await clock.advance(8000);
  assert.equal(client.connection.state, 'open', 'a new socket');
  assert.equal(server.opened.length, 2);
});

test('a quiet but living connection is left alone', async () => {
  const { server, clock } = await connected();
  await clock.advance(10 * 60_000);
  assert.equal(server.opened.length, 1);
});

test('a renewed token is told to the open socket', async () => {
  const { server, clock } = await connected();
  const ops = [];
  const frame = server.socketFrame;
  server.socketFrame = function (socket, data) {
    ops.push(data.op);
    return frame.call(this, socket, data);
  };
  await clock.advance(800_000);
  assert.ok(ops.includes('auth'));
});

test('without sockets: server-sent events, from the position on', async () => {
  const { client, server, clock, seen } = await connected();
  server.emit('message.sent', { text: 'one' });
  server.socketsWork = false;
  for (const socket of [...server.sockets]) socket.finish(1006);
  server.emit('message.sent', { text: 'two' });
  await clock.advance(10_000);
  assert.equal(client.connection.transport, 'sse');
  server.emit('message.sent', { text: 'three' });
  await settle();
  assert.deepEqual(seen, ['one', 'two', 'three']);
});

test('without sockets and streams: long polling; and back to sockets later', async () => {
  const { client, server, clock, seen } = await connected();
  server.socketsWork = server.sseWorks = false;
  server.emit('message.sent', { text: 'one' });
  for (const socket of [...server.sockets]) socket.finish(1006);
  server.emit('message.sent', { text: 'two' });
  await clock.advance(20_000);
  assert.equal(client.connection.transport, 'polling');
  server.emit('message.sent', { text: 'three' });
  await settle();
  assert.deepEqual(seen, ['one', 'two', 'three']);
  server.socketsWork = true;
  await clock.advance(6 * 60_000);
  assert.equal(client.connection.transport, 'websocket');
  assert.deepEqual(seen, ['one', 'two', 'three']);
});

test('a position that the server does not know: resync, and a fresh start', async () => {
  const { client, server, clock } = await connected();
  let resyncs = 0;
  client.on('resync', () => resyncs++);
  const begin = server.begin;
  server.begin = function (pos, give) {
    if (pos !== null) return give({ id: null, error: { status: 400, code: 'invalid_pos' } });
    return begin.call(this, pos, give);
  };
  for (const socket of [...server.sockets]) socket.finish(1006);
  await clock.advance(5000);
  assert.equal(resyncs, 1);
  assert.equal(client.connection.state, 'open');
  assert.equal(server.opened.at(-1), null);
});

test('a network that is back is noticed at once', async () => {
  const { client, server, clock } = await connected();
  server.kill();
  await clock.advance(60_000);
  server.up = true;
  client.connection.poke();
  await clock.advance(0);
  assert.equal(client.connection.state, 'open');
});
