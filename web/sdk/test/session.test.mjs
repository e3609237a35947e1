import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sdk, settle, signedIn } from './support.mjs';

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
