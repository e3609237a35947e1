import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sdk } from './support.mjs';

/** A list of numbers, three a page. */
function numbers(count) {
  const asked = [];
  const fetch = async ({ limit, cursor }) => {
    asked.push(cursor ?? null);
    const from = Number(cursor ?? 0);
    const items = Array.from({ length: Math.min(limit, count - from) }, (_, i) => from + i);
    return { items, next_cursor: from + limit < count ? String(from + limit) : null };
  };
  return { asked, fetch };
}

test('page by page until all has come, then nothing and no more requests', async () => {
  const { asked, fetch } = numbers(7);
  const pager = new sdk.Pager(fetch, 3);
  assert.deepEqual(await pager.next(), [0, 1, 2]);
  assert.equal(pager.done, false);
  assert.deepEqual(await pager.next(), [3, 4, 5]);
  assert.deepEqual(await pager.next(), [6]);
  assert.equal(pager.done, true);
  assert.deepEqual(await pager.next(), []);
  assert.deepEqual(asked, [null, '3', '6']);
});

test('two who ask at once get the same page', async () => {
  const { asked, fetch } = numbers(9);
  const pager = new sdk.Pager(fetch, 3);
  const [one, other] = await Promise.all([pager.next(), pager.next()]);
  assert.equal(one, other);
  assert.equal(asked.length, 1);
});

test('after a failure the same page is asked for again', async () => {
  const { fetch } = numbers(6);
  let broken = false;
  const pager = new sdk.Pager(
    (query) => (broken ? Promise.reject(new Error('no')) : fetch(query)),
    3,
  );
  await pager.next();
  broken = true;
  await assert.rejects(pager.next());
  broken = false;
  assert.deepEqual(await pager.next(), [3, 4, 5]);
});

test('for await walks through all of it', async () => {
  const all = [];
  for await (const one of new sdk.Pager(numbers(8).fetch, 3)) all.push(one);
  assert.deepEqual(all, [0, 1, 2, 3, 4, 5, 6, 7]);
});
