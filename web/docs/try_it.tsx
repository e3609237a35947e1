// Sends the request that the form describes and shows what really came back.
import { useState } from 'preact/hooks';
import { Button } from '../app/components/button';
import { currentToken, speaksAs } from './access';
import { curlOf, shortExample } from './example';
import { CodeBlock } from './prose';
import { resolve, type Call, type Parameter } from './spec';

interface Outcome {
  status: string;
  good: boolean;
  ms: number;
  headers: string;
  body: string;
}

const shownHeaders = /^(content-type|etag|location|retry-after|ratelimit.*|x-correlation-id)$/;

export function TryIt({
  root,
  call,
  parameters,
}: {
  root: object;
  call: Call;
  parameters: Parameter[];
}) {
  const schema = Object.values(call.operation.requestBody?.content ?? {})[0]?.schema;
  const [values, setValues] = useState<Record<string, string>>({});
  const [body, setBody] = useState(() =>
    schema ? JSON.stringify(shortExample(root, schema), null, 2) : '',
  );
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const [busy, setBusy] = useState(false);
  const open = call.operation.security?.length === 0;
  const path = pathWith(call.path, parameters, values);

  async function send(event: Event): Promise<void> {
    event.preventDefault();
    setBusy(true);
    setOutcome(await request(call.method, path, schema ? body : null, parameters, values, open));
    setBusy(false);
  }

  return (
    <div class="try">
      <form onSubmit={(event) => void send(event)}>
        {parameters.map((parameter) => (
          <label key={parameter.in + parameter.name}>
            <span>
              <code>{parameter.name}</code> <span class="soft">{parameter.in}</span>
            </span>
            <input
              class="input"
              required={parameter.required && parameter.in === 'path'}
              placeholder={String(resolve(root, parameter.schema ?? {}).default ?? '')}
              onInput={(event) =>
                setValues({ ...values, [parameter.name]: event.currentTarget.value })
              }
            />
          </label>
        ))}
        {schema && (
          <label>
            <span>Body</span>
            <textarea
              class="input mono"
              rows={Math.min(14, body.split('\n').length + 1)}
              spellcheck={false}
              value={body}
              onInput={(event) => setBody(event.currentTarget.value)}
            />
          </label>
        )}
        <div class="send">
          <Button type="submit" look="primary" busy={busy}>
            Send
          </Button>
          <span class="soft">
            {open
              ? 'No sign-in needed.'
              : speaksAs.value
                ? `As ${speaksAs.value}.`
                : 'Not signed in: expect 401.'}
          </span>
        </div>
      </form>
      <CodeBlock label="curl" text={curlOf(call.method, path, schema ? body : null, open)} />
      <div role="status">{outcome && <OutcomeView outcome={outcome} />}</div>
    </div>
  );
}

function OutcomeView({ outcome }: { outcome: Outcome }) {
  return (
    <div class="outcome">
      <p>
        <strong class={outcome.good ? 'good' : 'bad'}>{outcome.status}</strong>{' '}
        <span class="soft">in {outcome.ms.toFixed(0)} ms</span>
      </p>
      {outcome.headers && <CodeBlock label="Headers" text={outcome.headers} />}
      {outcome.body && <CodeBlock label="Body" text={outcome.body} />}
    </div>
  );
}

function pathWith(path: string, parameters: Parameter[], values: Record<string, string>): string {
  const filled = path.replace(/\{(\w+)\}/g, (whole, name: string) =>
    values[name] ? encodeURIComponent(values[name]) : whole,
  );
  const query = new URLSearchParams();
  for (const { name, in: place } of parameters)
    if (place === 'query' && values[name]) query.set(name, values[name]);
  return query.size ? `${filled}?${query}` : filled;
}

async function request(
  method: string,
  path: string,
  body: string | null,
  parameters: Parameter[],
  values: Record<string, string>,
  open: boolean,
): Promise<Outcome> {
  const headers: Record<string, string> = { accept: 'application/json' };
  const token = open ? null : await currentToken();
  if (token) headers.authorization = `Bearer ${token}`;
  if (body !== null) headers['content-type'] = 'application/json';
  for (const { name, in: place } of parameters)
    if (place === 'header' && values[name]) headers[name] = values[name];
  const begun = performance.now();
  try {
    const answer = await fetch(path, {
      method: method.toUpperCase(),
      headers,
      body,
      cache: 'no-store',
    });
    const text = await answer.text();
    return {
      status: `${answer.status} ${answer.statusText}`.trim(),
      good: answer.ok,
      ms: performance.now() - begun,
      headers: [...answer.headers]
        .filter(([name]) => shownHeaders.test(name))
        .map(([name, value]) => `${name}: ${value}`)
        .join('\n'),
      body: pretty(text),
    };
  } catch (problem) {
    return {
      status: (problem as Error).message,
      good: false,
      ms: performance.now() - begun,
      headers: '',
      body: '',
    };
  }
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
