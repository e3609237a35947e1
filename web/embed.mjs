// Turns built files into C: assets.bin holds every byte once, assets.S pulls it into the program
// with .incbin (a C array of this size would cost the compiler seconds), assets.c is the table that
// src/gateway/assets.h declares. The table is sorted by path, byte by byte, so a server may search
// it by halves.
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const types = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  json: 'application/json',
  webmanifest: 'application/manifest+json',
};

/** assets: {file, path, bytes, immutable, gzip?, brotli?}[] */
export function embed(directory, assets) {
  mkdirSync(directory, { recursive: true });
  const sorted = [...assets].sort((a, b) => (a.path < b.path ? -1 : 1));
  const parts = [];
  let size = 0;
  const place = (bytes) => {
    if (!bytes) return '{NULL, 0}';
    const at = size;
    parts.push(bytes);
    size += bytes.length;
    return `{asset_bytes + ${at}, ${bytes.length}}`;
  };
  const rows = sorted.map((asset) => {
    const type = types[asset.file.split('.').pop()];
    if (!type) throw new Error(`no content type for ${asset.file}`);
    const etag = createHash('sha256').update(asset.bytes).digest('base64url').slice(0, 22);
    return `    {.path = "${asset.path}",
     .content_type = "${type}",
     .etag = "\\"${etag}\\"",
     .immutable = ${asset.immutable},
     .plain = ${place(asset.bytes)},
     .gzip = ${place(asset.gzip)},
     .brotli = ${place(asset.brotli)}},`;
  });
  const blob = Buffer.concat(parts);
  const digest = createHash('sha256').update(blob).digest('hex');
  const file = join(directory, 'assets.bin').replace(/["\\]/g, '\\$&');
  writeFileSync(join(directory, 'assets.bin'), blob);
  // The digest stands in the text so that a change of the bytes alone makes the object new again.
  writeFileSync(
    join(directory, 'assets.S'),
    `/* ${digest} */
    .section .rodata
    .balign 16
    .globl asset_bytes
    .hidden asset_bytes
    .type asset_bytes, %object
asset_bytes:
    .incbin "${file}"
    .size asset_bytes, . - asset_bytes
    .section .note.GNU-stack, "", %progbits
`,
  );
  writeFileSync(
    join(directory, 'assets.c'),
    `/* Written by web/embed.mjs: the files of the web client. */
#include "gateway/assets.h"

extern const char asset_bytes[] __attribute__((visibility("hidden")));

const struct asset assets[] = {
${rows.join('\n')}
};
const size_t asset_count = ARRAY_LEN(assets);
`,
  );
}
