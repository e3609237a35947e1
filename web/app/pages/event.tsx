// One event: everything about it, who comes, and for its host the ways to change it.
import { useEffect, useMemo, useState } from 'preact/hooks';
import { parley } from '../client';
import { Button } from '../components/button';
import { Confirm } from '../components/dialog';
import { Counts, Leaf, Rsvp } from '../components/event_card';
import { Icon } from '../components/icon';
import { MessageText } from '../components/message_text';
import { Page } from '../components/page';
import { PersonAvatar, userFrom } from '../components/person';
import { Banner, Empty, TryAgain } from '../components/small';
import { isOver, longDay, span, spanThere } from '../format_event';
import type { PageProps } from '../pages';
import { ParleyError, type CalendarEvent, type Id, type Rsvp as Answer } from '../../sdk/index';
import { eventSignal, loadEvent, saveCalendar } from '../state/events';
import { PagedList } from '../state/list';
import { orSay } from '../state/notices';
import { navigate } from '../state/route';
import { me } from '../state/session';
import { nameOf } from '../state/users';
import { useWatch } from '../state/watch';
import { EventForm } from './event_form';
import { InvitePeople } from './event_invite';

export default function EventPage({ params }: PageProps) {
  const id = params.event!;
  const [gone, setGone] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const event = eventSignal(id).value;

  async function load(): Promise<void> {
    try {
      await loadEvent(id);
      setProblem(null);
    } catch (caught) {
      if (caught instanceof ParleyError && caught.status === 404) setGone(true);
      else setProblem((caught as Error).message);
    }
  }
  useEffect(() => void load(), [id]);
  useWatch(`event:${id}`, () => void load());

  if (gone)
    return (
      <Page title="Event" backTo="/events">
        <Empty icon="calendar" title="This event is not there">
          <p>It was removed, or it is not for you to see.</p>
        </Empty>
      </Page>
    );
  return (
    <Page title={event?.title ?? 'Event'} backTo="/events" busy={!event}>
      {event ? (
        <Details event={event} />
      ) : problem ? (
        <TryAgain retry={load}>{problem}</TryAgain>
      ) : (
        <Bones />
      )}
    </Page>
  );
}

function Details({ event }: { event: CalendarEvent }) {
  const there = spanThere(event);
  const mine = event.user_id === me.value?.id;
  const host = userFrom(event.user_id);
  return (
    <>
      <section class="panel event-head" aria-label="When and where">
        {event.cancelled_at && <Banner kind="warn">This event was cancelled.</Banner>}
        <div class="event-when">
          <Leaf event={event} />
          <div>
            <p>
              <b>{longDay(event)}</b>
            </p>
            <p class="soft">
              {span(event)}
              {there && <> · {there}</>}
            </p>
          </div>
        </div>
        {event.place && (
          <p class="fact">
            <Icon name="place" size={18} /> {event.place}
          </p>
        )}
        {event.link && (
          <p class="fact">
            <Icon name="link" size={18} />
            <a href={event.link} target="_blank" rel="noopener noreferrer">
              {event.link}
            </a>
          </p>
        )}
        <p class="fact">
          <PersonAvatar id={event.user_id} size="small" />
          <span>
            Hosted by{' '}
            {host ? <a href={`/u/${host.username}`}>{mine ? 'you' : nameOf(host)}</a> : '…'}
          </span>
        </p>
        <div class="event-deeds">
          <Rsvp event={event} />
          <Button
            small
            icon="download"
            onClick={() => void orSay('No file', saveCalendar(event.id, event.title))}
          >
            Add to calendar
          </Button>
        </div>
      </section>
      {event.description && (
        <section class="panel prose" aria-label="Description">
          <MessageText text={event.description} />
        </section>
      )}
      {mine && <Host event={event} />}
      <Attendees event={event} />
    </>
  );
}

function Host({ event }: { event: CalendarEvent }) {
  const [open, setOpen] = useState<'change' | 'cancel' | 'invite' | null>(null);
  const [busy, setBusy] = useState(false);
  const close = (): void => setOpen(null);
  if (event.cancelled_at || isOver(event)) return null;

  async function cancel(): Promise<void> {
    setBusy(true);
    const done = await orSay(
      'The event could not be cancelled',
      parley.events.cancel(event.id).then(() => true),
    );
    setBusy(false);
    close();
    // With answers it stays, cancelled; without any it is gone.
    if (done) await loadEvent(event.id).catch(() => navigate('/events'));
  }

  return (
    <section class="panel row-of-buttons" aria-label="Your event">
      <Button small icon="edit" onClick={() => setOpen('change')}>
        Change
      </Button>
      <Button small icon="plus" onClick={() => setOpen('invite')}>
        Invite
      </Button>
      <Button small look="danger" icon="trash" onClick={() => setOpen('cancel')}>
        Cancel event
      </Button>
      {open === 'change' && <EventForm event={event} onClose={close} />}
      {open === 'invite' && <InvitePeople event={event} onClose={close} />}
      {open === 'cancel' && (
        <Confirm
          title="Cancel this event?"
          text="Everybody who answered is told. This cannot be taken back."
          action="Cancel event"
          busy={busy}
          onConfirm={() => void cancel()}
          onClose={close}
        />
      )}
    </section>
  );
}

const groups: { status: Answer['status']; title: string }[] = [
  { status: 'yes', title: 'Going' },
  { status: 'waiting', title: 'Waiting for a place' },
  { status: 'maybe', title: 'Maybe' },
];

/** Read again whenever the counts move: promotions change several people's answers at once. */
function Attendees({ event }: { event: CalendarEvent }) {
  const list = useMemo(
    () =>
      new PagedList<Answer>(
        (page) => parley.events.attendees(event.id, page),
        (one) => one.user_id,
        100,
      ),
    [event.id],
  );
  const counts = [event.yes_count, event.maybe_count, event.waiting_count, event.my_status].join();
  useEffect(() => void list.reload(), [list, counts]);
  return (
    <section class="panel" aria-label="Who comes">
      <h2 class="panel-title">
        <Counts event={event} />
      </h2>
      {list.problem.value && <TryAgain retry={() => list.retry()}>{list.problem.value}</TryAgain>}
      {groups.map(({ status, title }) => {
        const people = list.items.value.filter((one) => one.status === status);
        return (
          people.length > 0 && (
            <div key={status} class="attendees">
              <h3>{title}</h3>
              <ul>
                {people.map((one) => (
                  <Attendee key={one.user_id} id={one.user_id} position={one.position} />
                ))}
              </ul>
            </div>
          )
        );
      })}
      {list.loaded.value && list.items.value.length === 0 && (
        <p class="soft">Nobody has answered yet.</p>
      )}
      {list.loaded.value && !list.done.value && (
        <Button small busy={list.busy.value} onClick={() => void list.more()}>
          Show more
        </Button>
      )}
    </section>
  );
}

function Attendee({ id, position }: { id: Id; position: number | null }) {
  const user = userFrom(id);
  return (
    <li>
      <a class="attendee" href={user ? `/u/${user.username}` : undefined}>
        <PersonAvatar id={id} size="small" />
        <span>{nameOf(user)}</span>
        {position !== null && <span class="tag">{position}</span>}
      </a>
    </li>
  );
}

function Bones() {
  return (
    <div class="panel" aria-hidden="true">
      <div class="event-when">
        <span class="leaf skeleton" />
        <span class="skeleton" style={{ width: '55%', height: '20px' }} />
      </div>
      <span class="skeleton" style={{ display: 'block', width: '70%', height: '120px' }} />
    </div>
  );
}
