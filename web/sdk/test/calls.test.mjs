// Each call of the rooms goes where the API says, with what it says.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { signedIn } from './support.mjs';

/** What a call sends: method, path with query, body. */
async function sent(act) {
  const { client, server } = await signedIn();
  let seen;
  const inner = server.fetch;
  client.http.fetch = (url, init) => {
    seen = [init.method, url.replace('http://fake/api/v1', ''), init.body && JSON.parse(init.body)];
    return inner(url, init);
  };
  await act(client).catch(() => undefined);
  return seen;
}

const cases = [
  [(c) => c.social.follow('u'), 'PUT', '/users/u/follow'],
  [(c) => c.social.unblock('u'), 'DELETE', '/users/u/block'],
  [(c) => c.social.relationship('u'), 'GET', '/users/u/relationship'],
  [(c) => c.social.followers('u', { limit: 5 }), 'GET', '/users/u/followers?limit=5'],
  [(c) => c.social.requests(), 'GET', '/follow-requests'],
  [(c) => c.social.refuse('u'), 'DELETE', '/follow-requests/u'],
  [(c) => c.social.muted(), 'GET', '/users/me/mutes'],
  [(c) => c.posts.create({ text: 'a' }), 'POST', '/posts', { text: 'a' }],
  [(c) => c.posts.unlike('p'), 'DELETE', '/posts/p/like'],
  [(c) => c.posts.ofTag('größe'), 'GET', '/tags/gr%C3%B6%C3%9Fe/posts'],
  [(c) => c.posts.feed({ cursor: 'x' }), 'GET', '/feed?cursor=x'],
  [(c) => c.comments.list('p', { reply_to: 'c' }), 'GET', '/posts/p/comments?reply_to=c'],
  [(c) => c.comments.update('p', 'c', 'b'), 'PATCH', '/posts/p/comments/c', { text: 'b' }],
  [(c) => c.stories.view('s'), 'PUT', '/stories/s/view'],
  [(c) => c.events.rsvp('e', 'maybe'), 'PUT', '/events/e/rsvp', { status: 'maybe' }],
  [(c) => c.signals.approved(), 'GET', '/trade-signals/approved'],
  [(c) => c.account.sendCode('email'), 'POST', '/auth/verify', { channel: 'email' }],
  [(c) => c.account.forgotPassword('ada'), 'POST', '/auth/password/forgot', { login: 'ada' }],
  [(c) => c.users.delete('secret'), 'DELETE', '/users/me', { password: 'secret' }],
  [(c) => c.admin.users({ q: 'a', is_active: false }), 'GET', '/admin/users?q=a&is_active=false'],
  [(c) => c.admin.requeue('d'), 'POST', '/admin/dead-letters/d/requeue'],
  [
    (c) => c.admin.decideSignal('t', { status: 'rejected', reason: 'no stop' }),
    'PUT',
    '/admin/trade-signals/t/status',
    { status: 'rejected', reason: 'no stop' },
  ],
];

for (const [act, method, path, body] of cases)
  test(`${method} ${path}`, async () => {
    assert.deepEqual(await sent(act), [method, path, body]);
  });

test('a post that is sent twice has one idempotency key', async () => {
  const { client, server } = await signedIn();
  const keys = [];
  server['POST /posts'] = ({ init }) => {
    keys.push(init.headers['idempotency-key']);
    return new Response('{"id": "p"}', { status: 201 });
  };
  await client.posts.create({ text: 'a' }, 'key-1');
  assert.deepEqual(keys, ['key-1']);
});

test('text answers come as they are', async () => {
  const { client, server } = await signedIn();
  server['GET /users/me/export'] = () => new Response('{"a": 1.50}', { status: 200 });
  assert.equal(await client.users.exportAll(), '{"a": 1.50}');
});
