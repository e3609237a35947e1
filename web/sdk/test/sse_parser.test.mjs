import assert from 'node:assert/strict';
import { test } from 'node:test';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const { SseParser } = await import(
  pathToFileURL(join(process.env.PARLEY_SDK, 'sse_parser.mjs')).href
);

function parse(pieces) {
  const events = [];
  const parser = new SseParser((event) => events.push(event));
  for (const piece of pieces) parser.feed(piece);
  return events;
}

const stream =
  'event: a\r\nid: 1\r\ndata: x\r\ndata: y\r\n\r\n: comment\n\nid: 2\rdata:z\r\revent: q\n\n';
const expected = [
  { event: 'a', id: '1', data: 'x\ny' },
  { event: 'message', id: '2', data: 'z' },
];

test('one piece', () => assert.deepEqual(parse([stream]), expected));
test('any cut in two', () => {
  for (let i = 0; i <= stream.length; i++)
    assert.deepEqual(parse([stream.slice(0, i), stream.slice(i)]), expected, `cut at ${i}`);
});
test('byte by byte', () => assert.deepEqual(parse([...stream]), expected));
test('an unfinished event is not given', () => assert.deepEqual(parse(['data: x\n']), []));
