// The API reference: everything on it is drawn from what this server says about itself.
import { signal } from '@preact/signals';
import { render } from 'preact';
import { SearchField } from '../app/components/field';
import { Mark } from '../app/components/icon';
import { arrive, arriveWhenAsked } from './arrive';
import { findSession, pasted, speaksAs } from './access';
import { OperationView } from './operation';
import { Prose } from './prose';
import { FrameView } from './realtime';
import { loadReference, type Call, type Frame, type Reference } from './spec';
import './docs.css';

const reference = signal<Reference | null>(null);
const problem = signal<string | null>(null);
const query = signal('');

function matches(...texts: (string | undefined)[]): boolean {
  const words = query.value.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  const text = texts.join(' ').toLocaleLowerCase();
  return words.every((word) => text.includes(word));
}

const callMatches = (call: Call): boolean =>
  matches(call.path, call.method, call.tag, call.operation.summary, call.operation.description);
const frameMatches = (frame: Frame): boolean =>
  matches(frame.name, frame.kind, 'realtime', frame.summary);

function Page() {
  if (problem.value)
    return (
      <main class="alone">
        <p role="alert">The description could not be loaded: {problem.value}</p>
      </main>
    );
  const found = reference.value;
  if (!found)
    return (
      <main class="alone" aria-busy="true">
        <Mark size={48} />
      </main>
    );
  const calls = found.calls.filter(callMatches);
  const frames = found.frames.filter(frameMatches);
  const tags = [...new Set(calls.map((call) => call.tag))].sort((a, b) => rank(a) - rank(b));
  return (
    <div class="docs">
      <Navigation tags={tags} calls={calls} frames={frames} />
      <main>
        <header class="intro">
          <h1>{found.api.info.title} API</h1>
          <p class="soft">
            Version {found.api.info.version} · <a href="/api/v1/openapi.json">OpenAPI</a>
            {' · '}
            <a href="/api/v1/asyncapi.json">AsyncAPI</a>
          </p>
          {found.api.info.description && <Prose text={found.api.info.description} />}
          <Access />
        </header>
        {tags.map((tag) => (
          <section key={tag} aria-label={tag}>
            <h2 class="tag-title" id={`tag-${tag}`}>
              {title(tag)}
            </h2>
            {calls
              .filter((call) => call.tag === tag)
              .map((call) => (
                <OperationView key={call.id} api={found.api} call={call} />
              ))}
          </section>
        ))}
        {frames.length > 0 && found.realtime && (
          <section aria-label="Frames and events">
            <h2 class="tag-title" id="frames">
              Frames and events
            </h2>
            {found.realtime.info.description && <Prose text={found.realtime.info.description} />}
            {frames.map((frame) => (
              <FrameView key={frame.id} root={found.realtime!} frame={frame} />
            ))}
          </section>
        )}
        {calls.length + frames.length === 0 && <p class="none">Nothing matches “{query.value}”.</p>}
      </main>
    </div>
  );
}

/** What one comes for first; what is for operators last; the rest as the server has it. */
function rank(tag: string): number {
  const first = ['auth', 'users', 'chats', 'messages'].indexOf(tag);
  if (first >= 0) return first;
  return tag === 'operations' ? 100 : 50;
}

const title = (tag: string): string =>
  tag.charAt(0).toLocaleUpperCase() + tag.slice(1).replace(/[_-]/g, ' ');

function Navigation({ tags, calls, frames }: { tags: string[]; calls: Call[]; frames: Frame[] }) {
  return (
    <nav aria-label="Reference">
      <a class="brand" href="/">
        <Mark size={28} /> Parley
      </a>
      <SearchField
        label="Search the reference"
        value={query.value}
        onText={(text) => (query.value = text)}
      />
      <div class="links">
        {tags.map((tag) => (
          <div key={tag}>
            <a class="group-link" href={`#tag-${tag}`}>
              {title(tag)}
            </a>
            <ul>
              {calls
                .filter((call) => call.tag === tag)
                .map((call) => (
                  <li key={call.id}>
                    <a href={`#${call.id}`}>
                      <span class={`verb ${call.method}`}>
                        {call.method === 'delete' ? 'DEL' : call.method.toUpperCase()}
                      </span>
                      <span>{call.operation.summary ?? call.path}</span>
                    </a>
                  </li>
                ))}
            </ul>
          </div>
        ))}
        {frames.length > 0 && (
          <div>
            <a class="group-link" href="#frames">
              Frames and events
            </a>
            <ul>
              {frames.map((frame) => (
                <li key={frame.id}>
                  <a href={`#${frame.id}`}>
                    <span class={`verb ${frame.kind}`}>{frame.kind === 'op' ? 'OP' : 'EVT'}</span>
                    <span>{frame.name}</span>
                  </a>
                </li>
              ))}
            </ul>
          </div>
        )}
      </div>
    </nav>
  );
}

function Access() {
  return (
    <details class="access">
      <summary>
        Try it: {speaksAs.value ? `requests are sent as ${speaksAs.value}` : 'not signed in'}
      </summary>
      <p class="soft">
        Requests use your session of the web client in this browser. To speak as somebody else,
        paste an access token; it stays in this page only.
      </p>
      <input
        class="input mono"
        type="password"
        aria-label="Access token"
        placeholder="Access token"
        autocomplete="off"
        onInput={(event) => (pasted.value = event.currentTarget.value.trim())}
      />
    </details>
  );
}

async function start(): Promise<void> {
  void findSession();
  try {
    reference.value = await loadReference();
    // The target of the address did not exist when the browser looked for it.
    requestAnimationFrame(arrive);
    arriveWhenAsked();
  } catch (caught) {
    problem.value = (caught as Error).message;
  }
}

render(<Page />, document.getElementById('docs')!);
void start();
