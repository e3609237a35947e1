// A schema as a table that opens: what is inside a resource is shown when it is asked for.
import { limitWords, refName, resolve, typeWords, type Schema } from './spec';
import { Prose } from './prose';

export function SchemaView({
  root,
  schema,
  depth = 0,
}: {
  root: object;
  schema: Schema;
  depth?: number;
}) {
  const whole = inner(root, schema);
  const fields = Object.entries(whole.properties ?? {});
  if (fields.length === 0) return <p class="soft">{typeWords(root, schema)}</p>;
  return (
    <ul class="fields">
      {fields.map(([name, field]) => (
        <FieldRow
          key={name}
          root={root}
          name={name}
          field={field}
          required={whole.required?.includes(name) ?? false}
          depth={depth}
        />
      ))}
    </ul>
  );
}

/** The object that is meant: of a list, its element; of "X or null", X. */
function inner(root: object, schema: Schema): Schema {
  let at = resolve(root, schema);
  for (let i = 0; i < 6; i++) {
    const choice = at.oneOf ?? at.anyOf ?? at.allOf;
    if (choice) at = resolve(root, choice.find((one) => one.type !== 'null') ?? {});
    else if (at.items && !at.properties) at = resolve(root, at.items);
    else break;
  }
  return at;
}

export function FieldRow({
  root,
  name,
  field,
  required,
  depth,
  where,
}: {
  root: object;
  name: string;
  field: Schema;
  required: boolean;
  depth: number;
  where?: string;
}) {
  const whole = resolve(root, field);
  const below = inner(root, field);
  const opens = depth < 5 && Object.keys(below.properties ?? {}).length > 0;
  const limits = limitWords(whole);
  return (
    <li>
      <div class="field-line">
        <code class="field-name">{name}</code>
        <span class="type">{typeWords(root, field)}</span>
        {where && <span class="tag">{where}</span>}
        {required && <span class="must">required</span>}
      </div>
      {(field.description ?? whole.description) && (
        <Prose text={field.description ?? whole.description ?? ''} />
      )}
      {limits && <p class="soft limits">{limits}</p>}
      {opens && (
        <details>
          <summary>Fields of {refName(field) ?? refName(field.items ?? {}) ?? name}</summary>
          <SchemaView root={root} schema={field} depth={depth + 1} />
        </details>
      )}
    </li>
  );
}
