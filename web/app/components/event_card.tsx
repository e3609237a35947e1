// One event in a list: a leaf of the calendar, what, when and where, and the answer.
import { isOver, leafOf, span, spanThere } from '../format_event';
import type { CalendarEvent, Id, RsvpAnswer } from '../../sdk/index';
import { answer, eventSignal, loadEvent } from '../state/events';
import { me } from '../state/session';
import { userName } from '../state/users';
import { useWatch } from '../state/watch';
import { Icon, type IconName } from './icon';

export function EventCard({ id, watched }: { id: Id; watched: boolean }) {
  useWatch(watched ? `event:${id}` : null, () => void loadEvent(id).catch(() => undefined));
  const event = eventSignal(id).value;
  if (!event) return null;
  const there = spanThere(event);
  return (
    <article class={`event-card${event.cancelled_at ? ' cancelled' : ''}`}>
      <Leaf event={event} />
      <div class="words">
        <h3>
          <a href={`/events/${id}`}>{event.title}</a>
        </h3>
        <p class="soft">
          {span(event)}
          {there && <> · {there}</>}
        </p>
        <p class="soft">
          {event.place && (
            <>
              <Icon name="place" size={15} /> {event.place} ·{' '}
            </>
          )}
          {event.user_id === me.value?.id ? 'hosted by you' : userName(event.user_id)}
        </p>
        <p class="counts">
          <Counts event={event} />
        </p>
      </div>
      <Rsvp event={event} />
    </article>
  );
}

export function Leaf({ event }: { event: CalendarEvent }) {
  const leaf = leafOf(event);
  return (
    <time class="leaf" datetime={event.starts_at}>
      <span>{leaf.weekday}</span>
      <b>{leaf.day}</b>
      <span>{leaf.month}</span>
    </time>
  );
}

export function Counts({ event }: { event: CalendarEvent }) {
  const places = event.capacity === null ? '' : ` of ${event.capacity}`;
  return (
    <>
      <span>{`${event.yes_count}${places} going`}</span>
      {event.maybe_count > 0 && <span>{`${event.maybe_count} maybe`}</span>}
      {event.waiting_count > 0 && <span>{`${event.waiting_count} waiting`}</span>}
    </>
  );
}

const choices: { status: RsvpAnswer; label: string; icon: IconName }[] = [
  { status: 'yes', label: 'Going', icon: 'check' },
  { status: 'maybe', label: 'Maybe', icon: 'clock' },
  { status: 'no', label: 'Can’t go', icon: 'close' },
];

export function Rsvp({ event }: { event: CalendarEvent }) {
  if (event.cancelled_at) return <span class="tag">Cancelled</span>;
  if (isOver(event)) return <span class="tag">Over</span>;
  const full = event.capacity !== null && event.yes_count >= event.capacity;
  const mine = event.my_status === 'waiting' ? 'yes' : event.my_status;
  const yes =
    event.my_status === 'waiting' ? 'Waiting' : full && mine !== 'yes' ? 'Join the line' : 'Going';
  return (
    <div class="rsvp" role="group" aria-label={`Your answer to ${event.title}`}>
      {choices.map(({ status, label, icon }) => (
        <button
          key={status}
          type="button"
          class={`${status}${event.my_status === 'waiting' && status === 'yes' ? ' waiting' : ''}`}
          aria-pressed={mine === status}
          onClick={() => void answer(event.id, status)}
        >
          <Icon name={icon} size={16} />
          {status === 'yes' ? yes : label}
        </button>
      ))}
    </div>
  );
}

/** Of the same size as what is to come. */
export function EventCardBones() {
  return (
    <div aria-hidden="true">
      {[64, 48, 72, 55].map((width, index) => (
        <div class="event-card" key={index}>
          <span class="leaf skeleton" />
          <span class="words">
            <span class="skeleton" style={{ width: `${width}%`, height: '18px' }} />
            <span class="skeleton" style={{ width: '40%', height: '13px', margin: '8px 0' }} />
            <span class="skeleton" style={{ width: '30%', height: '13px' }} />
          </span>
        </div>
      ))}
    </div>
  );
}
