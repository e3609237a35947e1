// The events and ops of the socket, from the AsyncAPI description.
import { exampleOf } from './example';
import { CodeBlock, Prose } from './prose';
import { SchemaView } from './schema_view';
import { refName, type AsyncApi, type Frame, type Schema } from './spec';

export function FrameView({ root, frame }: { root: AsyncApi; frame: Frame }) {
  const envelope =
    frame.kind === 'op'
      ? { id: 1, op: frame.name, data: example(root, frame.data) }
      : { event: frame.name, ...(frame.kept ? { pos: '…' } : {}), data: example(root, frame.data) };
  return (
    <article class="operation" id={frame.id} aria-labelledby={`${frame.id}-title`}>
      <header>
        <h3 id={`${frame.id}-title`}>
          <a href={`#${frame.id}`}>{frame.name}</a>
        </h3>
        <p class="route">
          <span class={`verb ${frame.kind}`}>{frame.kind === 'op' ? 'OP' : 'EVENT'}</span>
          <span class="soft">{frame.kind === 'op' ? 'client to server' : 'server to client'}</span>
        </p>
      </header>
      {frame.summary && <Prose text={frame.summary} />}
      <Part title="Data" root={root} schema={frame.data} />
      <Part title="Answer" root={root} schema={frame.answer} />
      <details>
        <summary>Example frame</summary>
        <CodeBlock label="JSON" text={JSON.stringify(envelope, null, 2)} />
      </details>
    </article>
  );
}

const example = (root: AsyncApi, schema: Schema | undefined): unknown =>
  schema ? exampleOf(root, schema) : {};

function Part({
  title,
  root,
  schema,
}: {
  title: string;
  root: AsyncApi;
  schema: Schema | undefined;
}) {
  if (!schema || (!schema.$ref && !schema.properties)) return null;
  return (
    <section>
      <h4>
        {title} <span class="soft">{refName(schema)}</span>
      </h4>
      <details>
        <summary>Fields</summary>
        <SchemaView root={root} schema={schema} />
      </details>
    </section>
  );
}
