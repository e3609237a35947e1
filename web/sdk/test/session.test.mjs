import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connected, sdk, settle, signedIn } from './support.mjs';

test('many callers share one renewal', async () => {
  const { client, server } = await signedIn();
  server.tokens.clear();
  const all = await Promise.all([1, 2, 3, 4].map(() => client.users.me()));
  assert.equal(all.length, 4);
  assert.equal(server.renewals, 1);
});

test('renews before the token runs out, whatever the wall clock says', async () => {
  const { server, clock } = await signedIn();
  clock.skew = -86_400_000;
  await clock.advance(600_000);
  assert.equal(server.renewals, 0);
  await clock.advance(150_000);
  assert.equal(server.renewals, 1);
});

test('after a sleep the old token is not tried', async () => {
  const { client, server, clock } = await signedIn();
  clock.skew = 2 * 3600_000; // the steady clock stood still, the wall clock did not
  await client.users.me();
  assert.equal(server.renewals, 1);
  assert.deepEqual(server.requests.slice(-2), ['POST /auth/refresh', 'GET /users/me']);
});

test('the server being away does not sign out; the session being over does', async () => {
  const { client, server, clock } = await signedIn();
  let over = 0;
  client.session.events.on('signedOut', () => over++);
  server.up = false;
  const failed = client.session.renew().catch((problem) => problem);
  await clock.advance(60_000);
  assert.equal((await failed).code, 'network');
  assert.equal(over, 0);
  server.up = true;
  server.sessionOver = true;
  await assert.rejects(client.session.renew(), { status: 401 });
  assert.equal(over, 1);
});

test('cookie mode asks for the cookie; storage mode keeps the token itself', async () => {
  const cookie = await signedIn();
  await cookie.client.session.renew();
  assert.equal(cookie.server.refreshHeader, 'refresh');
  let stored = null;
  const tokenStorage = { load: () => stored, save: (token) => (stored = token) };
  const own = await signedIn({ tokenStorage });
  assert.match(stored, /^refresh-/);
  const before = stored;
  await own.client.session.renew();
  assert.equal(own.server.refreshHeader, undefined);
  assert.notEqual(stored, before);
  own.client.session.forget('requested');
  assert.equal(stored, null);
  assert.equal(await own.client.resume(), null);
});

test('a renewal that brings somebody else ends the session', async () => {
  const { client, server } = await connected();
  const over = [];
  client.session.events.on('signedOut', ({ reason }) => over.push(reason));
  server.user = { id: 'u-2', username: 'tomas' };
  await assert.rejects(client.session.renew(), { status: 401 });
  assert.deepEqual(over, ['replaced']);
  assert.equal(client.session.user, null);
  assert.equal(client.connection.state, 'idle');
  assert.equal(server.sockets.size, 0);
  // The page may then go on as the one who is there, by its own choice.
  assert.equal((await client.resume()).username, 'tomas');
});

test('signing in over a session ends that first', async () => {
  const { client, server } = await connected();
  const over = [];
  client.session.events.on('signedOut', ({ reason }) => over.push(reason));
  server.user = { id: 'u-2', username: 'tomas' };
  await client.signIn({ login: 'tomas', password: 'secret' });
  assert.deepEqual(over, ['replaced']);
  assert.equal(client.session.user.username, 'tomas');
});

test('whatever the refusal of a renewal, the session is over; being busy is none', async () => {
  const { client, server, clock } = await connected();
  let over = 0;
  client.session.events.on('signedOut', () => over++);
  const refresh = server['POST /auth/refresh'];
  const refuse = (status) => () => new Response('{"code":"invalid_fields"}', { status });
  for (const busy of [408, 429]) {
    server['POST /auth/refresh'] = refuse(busy);
    const failed = client.session.renew().catch((problem) => problem);
    await clock.advance(60_000);
    assert.equal((await failed).status, busy);
  }
  assert.equal(over, 0);
  // The cookie is gone: to the server, a field is missing.
  server['POST /auth/refresh'] = refuse(422);
  await assert.rejects(client.session.renew(), { status: 401 });
  assert.equal(over, 1);
  assert.equal(client.connection.state, 'idle');
  assert.equal(await client.resume(), null);
  server['POST /auth/refresh'] = refresh;
});

test('an answer that comes after signing out signs nobody in', async () => {
  const { client, server } = await signedIn();
  let release;
  const held = new Promise((resolve) => (release = resolve));
  const refresh = server['POST /auth/refresh'];
  server['POST /auth/refresh'] = async function (input) {
    await held;
    return refresh.call(this, input);
  };
  const renewal = client.session.renew().catch((problem) => problem);
  client.session.forget('requested');
  release();
  assert.equal((await renewal).status, 401);
  assert.equal(client.session.signedIn, false);
});

test('a refused call is not made again in the name of the next person', async () => {
  const { client, server } = await signedIn();
  let release;
  const held = new Promise((resolve) => (release = resolve));
  let asked = 0;
  server['GET /users/me'] = async () => {
    asked++;
    await held;
    return new Response('{"code":"invalid_token"}', { status: 401 });
  };
  const call = client.users.me().catch((problem) => problem);
  await settle();
  server.user = { id: 'u-2', username: 'tomas' };
  await client.signIn({ login: 'tomas', password: 'secret' });
  release();
  assert.equal((await call).status, 401);
  assert.equal(asked, 1);
});

test('problems carry code, fields and correlation id', async () => {
  const { client, server } = await signedIn();
  server['GET /users/me'] = () =>
    new Response(
      JSON.stringify({
        title: 'Bad input',
        status: 422,
        code: 'invalid_fields',
        correlation_id: 'abc',
        errors: [{ field: 'bio', code: 'too_long', detail: 'At most 500 characters.' }],
      }),
      { status: 422 },
    );
  const problem = await client.users.me().catch((caught) => caught);
  assert.ok(problem instanceof sdk.ParleyError);
  assert.equal(problem.code, 'invalid_fields');
  assert.equal(problem.field('bio'), 'At most 500 characters.');
  assert.equal(problem.correlationId, 'abc');
  assert.equal(problem.transient, false);
});

test('reads are tried again when the server is busy', async () => {
  const { client, server, clock } = await signedIn();
  const me = server['GET /users/me'];
  server['GET /users/me'] = function () {
    this['GET /users/me'] = me;
    return new Response('{}', { status: 503, headers: { 'retry-after': '2' } });
  };
  const answer = client.users.me();
  await settle();
  await clock.advance(2100);
  assert.equal((await answer).username, 'ada');
});
