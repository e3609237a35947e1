// The two descriptions as the server prints them, reduced to what the reference shows.

export interface Schema {
  $ref?: string;
  type?: string | string[];
  description?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  enum?: unknown[];
  const?: unknown;
  format?: string;
  example?: unknown;
  examples?: unknown[];
  default?: unknown;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  pattern?: string;
  oneOf?: Schema[];
  anyOf?: Schema[];
  allOf?: Schema[];
  additionalProperties?: boolean | Schema;
}

export interface Parameter {
  $ref?: string;
  name: string;
  in: 'path' | 'query' | 'header';
  required?: boolean;
  description?: string;
  schema?: Schema;
}

export interface Answer {
  $ref?: string;
  description?: string;
  content?: Record<string, { schema?: Schema }>;
}

export interface Operation {
  operationId: string;
  tags?: string[];
  summary?: string;
  description?: string;
  security?: Record<string, string[]>[];
  parameters?: Parameter[];
  requestBody?: { content: Record<string, { schema: Schema }> };
  responses: Record<string, Answer>;
  'x-error-codes'?: string[];
}

export interface OpenApi {
  info: { title: string; version: string; description?: string };
  tags?: { name: string; description?: string }[];
  paths: Record<string, Record<string, Operation>>;
  components?: {
    schemas?: Record<string, Schema>;
    responses?: Record<string, Answer>;
    parameters?: Record<string, Parameter>;
  };
}

interface Message {
  name: string;
  summary?: string;
  payload: Schema;
}

export interface AsyncApi {
  info: { title: string; description?: string };
  components?: { messages?: Record<string, Message>; schemas?: Record<string, Schema> };
}

export interface Call {
  id: string;
  method: string;
  path: string;
  tag: string;
  operation: Operation;
}

export interface Frame {
  id: string;
  kind: 'op' | 'event';
  name: string;
  summary: string | undefined;
  data: Schema | undefined;
  answer: Schema | undefined;
  /** Whether it carries a resume position. */
  kept: boolean;
}

export interface Reference {
  api: OpenApi;
  realtime: AsyncApi | null;
  calls: Call[];
  frames: Frame[];
}

const verbs = ['get', 'post', 'put', 'patch', 'delete'];

export async function loadReference(): Promise<Reference> {
  const [api, realtime] = await Promise.all([
    fetchJson<OpenApi>('/api/v1/openapi.json'),
    fetchJson<AsyncApi>('/api/v1/asyncapi.json').catch(() => null),
  ]);
  return { api, realtime, calls: callsOf(api), frames: realtime ? framesOf(realtime) : [] };
}

async function fetchJson<T>(url: string): Promise<T> {
  const answer = await fetch(url, { headers: { accept: 'application/json' } });
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
  return (await answer.json()) as T;
}

function callsOf(api: OpenApi): Call[] {
  const calls: Call[] = [];
  for (const [path, item] of Object.entries(api.paths))
    for (const method of verbs) {
      const operation = item[method];
      if (!operation) continue;
      const id = operation.operationId ?? `${method}${path.replace(/\W+/g, '_')}`;
      calls.push({ id, method, path, tag: operation.tags?.[0] ?? 'other', operation });
    }
  return calls;
}

function framesOf(realtime: AsyncApi): Frame[] {
  const messages = realtime.components?.messages ?? {};
  const frames: Frame[] = [];
  for (const [key, message] of Object.entries(messages)) {
    const found = /^(op|event)\.(.+)$/.exec(key);
    if (!found) continue;
    const kind = found[1] as 'op' | 'event';
    frames.push({
      id: key,
      kind,
      name: found[2]!,
      summary: message.summary,
      data: message.payload.properties?.data,
      answer: kind === 'op' ? messages[`reply.${found[2]}`]?.payload.properties?.data : undefined,
      kept: message.payload.properties?.pos !== undefined,
    });
  }
  return frames;
}

/** Follows "#/components/..." once or more. */
export function resolve<T extends { $ref?: string }>(root: object, value: T): T {
  let at = value;
  for (let i = 0; i < 8 && at.$ref; i++) {
    let found: unknown = root;
    for (const part of at.$ref.slice(2).split('/'))
      found = (found as Record<string, unknown> | undefined)?.[part];
    if (!found) break;
    at = found as T;
  }
  return at;
}

export const refName = (schema: Schema): string | undefined => schema.$ref?.split('/').pop();

/** "string, uuid" · "array of Message" · "integer or null" */
export function typeWords(root: object, schema: Schema): string {
  const name = refName(schema);
  if (name) return name;
  if (schema.enum) return schema.enum.map((one) => JSON.stringify(one)).join(' | ');
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  const choice = schema.oneOf ?? schema.anyOf ?? schema.allOf;
  if (choice) return choice.map((one) => typeWords(root, one)).join(' or ');
  const types = [schema.type ?? 'any'].flat();
  const words = types.map((type) =>
    type === 'array' && schema.items ? `array of ${typeWords(root, schema.items)}` : type,
  );
  return words.join(' or ') + (schema.format ? `, ${schema.format}` : '');
}

export function limitWords(schema: Schema): string {
  const words: string[] = [];
  if (schema.minLength || schema.maxLength)
    words.push(range(schema.minLength, schema.maxLength, 'characters'));
  if (schema.minimum !== undefined || schema.maximum !== undefined)
    words.push(range(schema.minimum, schema.maximum, ''));
  if (schema.minItems !== undefined || schema.maxItems !== undefined)
    words.push(range(schema.minItems, schema.maxItems, 'items'));
  if (schema.default !== undefined) words.push(`default ${JSON.stringify(schema.default)}`);
  return words.join(' · ');
}

function range(low: number | undefined, high: number | undefined, unit: string): string {
  const words =
    low !== undefined && high !== undefined
      ? `${low} to ${high}`
      : high !== undefined
        ? `at most ${high}`
        : `at least ${low}`;
  return unit ? `${words} ${unit}` : words;
}
