// One call of the API: what it does, takes, answers, and can refuse; and a form to try it.
import { useState } from 'preact/hooks';
import { Button } from '../app/components/button';
import { exampleOf } from './example';
import { CodeBlock, Prose } from './prose';
import { FieldRow, SchemaView } from './schema_view';
import { resolve, refName, type Answer, type Call, type OpenApi } from './spec';
import { TryIt } from './try_it';

export function OperationView({ api, call }: { api: OpenApi; call: Call }) {
  const [trying, setTrying] = useState(false);
  const { operation } = call;
  const parameters = (operation.parameters ?? []).map((one) => resolve(api, one));
  const body = Object.values(operation.requestBody?.content ?? {})[0]?.schema;
  const scope = operation.security?.[0]?.bearer?.[0];
  return (
    <article class="operation" id={call.id} aria-labelledby={`${call.id}-title`}>
      <header>
        <h3 id={`${call.id}-title`}>
          <a href={`#${call.id}`}>{operation.summary ?? call.id}</a>
        </h3>
        <p class="route">
          <span class={`verb ${call.method}`}>{call.method.toUpperCase()}</span>
          <code>{call.path}</code>
          {operation.security?.length === 0 && <span class="tag">public</span>}
          {scope && <span class="tag">{scope}</span>}
        </p>
      </header>
      {operation.description && <Prose text={operation.description} />}
      {parameters.length > 0 && (
        <section>
          <h4>Parameters</h4>
          <ul class="fields">
            {parameters.map((one) => (
              <FieldRow
                key={one.in + one.name}
                root={api}
                name={one.name}
                field={{
                  ...(one.schema ?? {}),
                  ...(one.description ? { description: one.description } : {}),
                }}
                required={one.required ?? false}
                where={one.in}
                depth={0}
              />
            ))}
          </ul>
        </section>
      )}
      {body && (
        <section>
          <h4>Body {refName(body) && <span class="soft">{refName(body)}</span>}</h4>
          <SchemaView root={api} schema={body} />
        </section>
      )}
      <Answers api={api} call={call} />
      <Errors codes={operation['x-error-codes'] ?? []} />
      <Button small aria-expanded={trying} onClick={() => setTrying(!trying)}>
        {trying ? 'Close' : 'Try it'}
      </Button>
      {trying && <TryIt root={api} call={call} parameters={parameters} />}
    </article>
  );
}

function Answers({ api, call }: { api: OpenApi; call: Call }) {
  const good = Object.entries(call.operation.responses).filter(([status]) => /^[123]/.test(status));
  return (
    <>
      {good.map(([status, given]) => {
        const answer: Answer = resolve(api, given);
        const schema = answer.content?.['application/json']?.schema;
        return (
          <section key={status}>
            <h4>
              <span class="status">{status}</span> {answer.description}{' '}
              {schema && refName(schema) && <span class="soft">{refName(schema)}</span>}
            </h4>
            {schema && (
              <details>
                <summary>Fields and example</summary>
                <SchemaView root={api} schema={schema} />
                <CodeBlock label="Example" text={JSON.stringify(exampleOf(api, schema), null, 2)} />
              </details>
            )}
          </section>
        );
      })}
    </>
  );
}

function Errors({ codes }: { codes: string[] }) {
  if (codes.length === 0) return null;
  return (
    <section>
      <h4>Error codes</h4>
      <p class="codes">
        {codes.map((code) => (
          <code key={code}>{code}</code>
        ))}
      </p>
    </section>
  );
}
