// Examples made from schemas, so that they are always complete and never out of date.
import { resolve, type Schema } from './spec';

const samples: Record<string, unknown> = {
  id: '0190a6e2-8f3c-7d21-9b64-5f0c1e2a7d11',
  text: 'Hello!',
  title: 'Launch crew',
  username: 'ada',
  full_name: 'Ada Lindqvist',
  login: 'ada',
  password: 'correct horse battery staple',
  emoji: '👍',
  client_id: '0190a6e2-9a10-7c44-8d52-1b7f3a9e6c02',
};

export function exampleOf(root: object, given: Schema, name = '', depth = 0): unknown {
  const schema = resolve(root, given);
  if (schema.example !== undefined) return schema.example;
  if (schema.examples?.length) return schema.examples[0];
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum.find((one) => one !== null);
  const choice = schema.oneOf ?? schema.anyOf;
  if (choice) return exampleOf(root, choice.find((one) => one.type !== 'null') ?? {}, name, depth);
  const types = [schema.type ?? (schema.properties ? 'object' : 'string')].flat();
  const type = types.find((one) => one !== 'null');
  // What may be null mostly is: an example of an example inside an example helps nobody.
  if (depth > 1 && types.includes('null') && (type === 'object' || type === 'string')) return null;
  if (type === 'object') {
    if (depth > 4) return {};
    return Object.fromEntries(
      Object.entries(schema.properties ?? {}).map(([key, value]) => [
        key,
        exampleOf(root, value, key, depth + 1),
      ]),
    );
  }
  if (type === 'array')
    return schema.items && depth < 4
      ? [exampleOf(root, schema.items, name.replace(/s$/, ''), depth + 1)]
      : [];
  if (type === 'integer' || type === 'number')
    return schema.default ?? Math.max(schema.minimum ?? 1, 1);
  if (type === 'boolean') return schema.default ?? false;
  if (samples[name] !== undefined) return samples[name];
  if (schema.format === 'uuid' || /(^|_)id$/.test(name)) return samples.id;
  if (schema.format === 'date-time' || /_at$/.test(name)) return '2026-03-14T09:26:53.589Z';
  if (schema.format === 'email' || name === 'email') return 'ada@example.org';
  return 'text';
}

/** Only what must be there, for a first try; everything when nothing must. */
export function shortExample(root: object, given: Schema): unknown {
  const schema = resolve(root, given);
  const full = exampleOf(root, schema) as Record<string, unknown>;
  if (!schema.required?.length || typeof full !== 'object' || full === null) return full;
  return Object.fromEntries(schema.required.map((key) => [key, full[key]]));
}

export function curlOf(method: string, path: string, body: string | null, open: boolean): string {
  const lines = [
    `curl${method === 'get' ? '' : ` -X ${method.toUpperCase()}`} '${location.origin}${path}'`,
  ];
  if (!open) lines.push(`-H "Authorization: Bearer $TOKEN"`);
  if (body !== null)
    lines.push(`-H 'Content-Type: application/json'`, `-d '${body.replace(/'/g, `'\\''`)}'`);
  return lines.join(' \\\n  ');
}
