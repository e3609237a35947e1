// What is coming up: a list by day, with one's own answer a click away.
import { useEffect, useState } from 'preact/hooks';
import { parley } from '../client';
import { Button } from '../components/button';
import { Dialog } from '../components/dialog';
import { Segments } from '../components/field';
import { EventCard, EventCardBones } from '../components/event_card';
import { Page } from '../components/page';
import { Empty, TryAgain } from '../components/small';
import type { CalendarEvent } from '../../sdk/index';
import { eventList, saveCalendar, type EventScope } from '../state/events';
import { useList } from '../state/list';
import { notify, orSay } from '../state/notices';
import { arrival } from '../state/route';
import { EventForm } from './event_form';

const scopes: { value: EventScope; label: string; none: string }[] = [
  { value: 'all', label: 'Upcoming', none: 'Events of people you follow, and public ones.' },
  { value: 'answered', label: 'Answered', none: 'What you answer or are invited to.' },
  { value: 'following', label: 'Following', none: 'Events of the people you follow.' },
  { value: 'mine', label: 'Mine', none: 'Events that you host.' },
];

let lastScope: EventScope = 'all';

export default function Events() {
  const [scope, setScope] = useState<EventScope>(lastScope);
  const [creating, setCreating] = useState(false);
  const [subscribing, setSubscribing] = useState(false);
  const list = eventList(scope);
  useEffect(() => void (lastScope = scope), [scope]);
  useList(list, arrival === 'back');
  const items = list.items.value;
  return (
    <Page
      title="Events"
      busy={!list.loaded.value}
      onNearEnd={() => void list.more()}
      actions={
        <>
          <Button small icon="calendar" onClick={() => setSubscribing(true)}>
            Calendar
          </Button>
          <Button small look="primary" icon="plus" onClick={() => setCreating(true)}>
            New event
          </Button>
        </>
      }
      sticky={
        <Segments
          label="Which events"
          name="scope"
          value={scope}
          choices={scopes}
          onChoose={(next) => setScope(next)}
        />
      }
    >
      {list.problem.value && <TryAgain retry={() => list.retry()}>{list.problem.value}</TryAgain>}
      {!list.loaded.value && !list.problem.value && <EventCardBones />}
      {list.loaded.value && items.length === 0 && (
        <Empty icon="calendar" title="Nothing planned">
          <p>
            {scopes.find((one) => one.value === scope)!.none} Nothing of that kind is coming up.
          </p>
          <Button look="primary" onClick={() => setCreating(true)}>
            Plan something
          </Button>
        </Empty>
      )}
      {months(items).map(([month, events]) => (
        <section key={month} class="event-month" aria-label={month}>
          <h2>{month}</h2>
          {events.map((event) => (
            <EventCard key={event.id} id={event.id} watched={items.indexOf(event) < 15} />
          ))}
        </section>
      ))}
      {creating && <EventForm onClose={() => setCreating(false)} />}
      {subscribing && <Subscribe onClose={() => setSubscribing(false)} />}
    </Page>
  );
}

const monthName = new Intl.DateTimeFormat(undefined, { month: 'long', year: 'numeric' });

function months(events: readonly CalendarEvent[]): [string, CalendarEvent[]][] {
  const found = new Map<string, CalendarEvent[]>();
  for (const event of events) {
    const month = monthName.format(new Date(event.starts_at));
    const list = found.get(month);
    if (list) list.push(event);
    else found.set(month, [event]);
  }
  return [...found];
}

/** One's events in a calendar application: by a secret address, or as a file. */
function Subscribe({ onClose }: { onClose(): void }) {
  const [url, setUrl] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);

  async function make(): Promise<void> {
    setBusy(true);
    const link = await orSay('No address could be made', parley.events.makeCalendarLink());
    if (link) setUrl(new URL(link.url, location.origin).href);
    setBusy(false);
  }

  async function end(): Promise<void> {
    setBusy(true);
    const ended = await orSay(
      'The address could not be ended',
      parley.events.endCalendarLink().then(() => true),
    );
    if (ended) {
      setUrl(null);
      notify('The address is no longer valid.');
    }
    setBusy(false);
  }

  return (
    <Dialog title="Your calendar" onClose={onClose}>
      <p>
        Your events in the calendar application that you use: subscribe to a secret address there,
        and it stays up to date. Whoever has the address can read your calendar.
      </p>
      {url ? (
        <>
          <div class="secret-address">
            <input class="input" readonly value={url} aria-label="Secret address" />
            <Button
              icon="copy"
              onClick={() => void navigator.clipboard.writeText(url).then(() => notify('Copied.'))}
            >
              Copy
            </Button>
          </div>
          <p class="soft">It is shown only now. A new one ends this one.</p>
        </>
      ) : (
        <Button look="primary" icon="link" busy={busy} onClick={() => void make()}>
          Make a secret address
        </Button>
      )}
      <div class="row-of-buttons">
        <Button icon="download" onClick={() => void orSay('No file', saveCalendar(null, 'parley'))}>
          Save as a file
        </Button>
        <Button look="danger" busy={busy} onClick={() => void end()}>
          End all addresses
        </Button>
      </div>
    </Dialog>
  );
}
