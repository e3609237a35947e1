// UUIDv7 (RFC 9562 section 5.7): 48 bits of Unix milliseconds, a counter of 12 bits within one of
// them (section 6.2, method 1), then randomness. Used as client_id, so that a send may be repeated on
// any transport and is still one message; as text they sort as they were made (two thousand and more
// of a millisecond).
let last = -1;
let counter = 0;

export function uuidv7(now: number = Date.now()): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  for (let i = 0; i < 6; i++) bytes[i] = Math.floor(now / 2 ** (8 * (5 - i))) & 0xff;
  counter = now === last ? counter + 1 : ((bytes[6]! & 0x07) << 8) | bytes[7]!;
  last = now;
  bytes[6] = 0x70 | ((counter >> 8) & 0x0f);
  bytes[7] = counter & 0xff;
  bytes[8] = 0x80 | (bytes[8]! & 0x3f);
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join('-');
}
