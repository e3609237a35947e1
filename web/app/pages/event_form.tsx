// Planning an event, or changing one. Times are written as the clocks at the place show them; the
// server says when such a time does not exist there, or exists twice.
import { useState } from 'preact/hooks';
import { parley } from '../client';
import { Button } from '../components/button';
import { Dialog } from '../components/dialog';
import { TextArea, TextField } from '../components/field';
import { SelectField } from '../components/select';
import { Banner } from '../components/small';
import { fieldAfter, ownZone, timeZones, toField } from '../format_event';
import type { CalendarEvent, ParleyError, PostVisibility } from '../../sdk/index';
import { eventList, learnEvent } from '../state/events';
import { problemOf } from '../state/problem';
import { navigate } from '../state/route';

const visibilities: { value: PostVisibility; label: string }[] = [
  { value: 'public', label: 'Everybody' },
  { value: 'followers', label: 'My followers' },
  { value: 'private', label: 'Only those I invite' },
];

interface Draft {
  title: string;
  starts: string;
  ends: string;
  zone: string;
  place: string;
  link: string;
  capacity: string;
  visibility: PostVisibility;
  description: string;
}

function draftOf(event: CalendarEvent | undefined): Draft {
  return {
    title: event?.title ?? '',
    starts: event ? toField(event.starts_at_local) : fieldAfter(24),
    ends: event ? toField(event.ends_at_local) : fieldAfter(26),
    zone: event?.time_zone ?? ownZone,
    place: event?.place ?? '',
    link: event?.link ?? '',
    capacity: event?.capacity?.toString() ?? '',
    visibility: event?.visibility ?? 'public',
    description: event?.description ?? '',
  };
}

/** What is empty is left out, or removed from an event that has it. */
function bodyOf(draft: Draft, empty: null | undefined) {
  return {
    title: draft.title.trim(),
    starts_at: `${draft.starts}:00`,
    ends_at: `${draft.ends}:00`,
    time_zone: draft.zone.trim(),
    place: draft.place.trim() || empty,
    link: draft.link.trim() || empty,
    capacity: draft.capacity.trim() ? Number(draft.capacity) : empty,
    visibility: draft.visibility,
    description: draft.description.trim() || empty,
  };
}

function send(event: CalendarEvent | undefined, draft: Draft): Promise<CalendarEvent> {
  if (event) return parley.events.update(event.id, bodyOf(draft, null));
  // Absent members are left out of JSON.
  return parley.events.create(
    bodyOf(draft, undefined) as Parameters<typeof parley.events.create>[0],
  );
}

export function EventForm({ event, onClose }: { event?: CalendarEvent; onClose(): void }) {
  const [before] = useState(() => draftOf(event));
  const [draft, setDraft] = useState(before);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ParleyError | null>(null);
  const set = (change: Partial<Draft>): void => setDraft({ ...draft, ...change });

  async function save(submitted: Event): Promise<void> {
    submitted.preventDefault();
    if (busy) return;
    setBusy(true);
    setProblem(null);
    try {
      const saved = await send(event, draft);
      learnEvent(saved);
      void eventList('mine').reload();
      onClose();
      if (!event) navigate(`/events/${saved.id}`);
    } catch (caught) {
      setProblem(problemOf(caught));
      setBusy(false);
    }
  }

  /** An event that began later ends later, too. */
  function startAt(starts: string): void {
    const length = Date.parse(draft.ends) - Date.parse(draft.starts);
    const end = new Date(Date.parse(`${starts}Z`) + length);
    const moved = Number.isNaN(end.getTime()) ? draft.ends : end.toISOString().slice(0, 16);
    set({ starts, ends: moved });
  }

  const form = event ? 'change-event' : 'new-event';
  return (
    <Dialog
      title={event ? 'Change event' : 'New event'}
      unsaved={draft !== before}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" type="submit" form={form} busy={busy}>
            {event ? 'Save' : 'Create event'}
          </Button>
        </>
      }
    >
      <form id={form} class="form-stack" onSubmit={(submitted) => void save(submitted)} noValidate>
        {problem && problem.fields.length === 0 && (
          <Banner kind="problem">{problem.message}</Banner>
        )}
        <TextField
          label="Title"
          value={draft.title}
          maxLength={200}
          autofocus={!event}
          wrong={problem?.field('title')}
          onText={(title) => set({ title })}
        />
        <div class="form-stack">
          <TextField
            label="Starts"
            type="datetime-local"
            value={draft.starts}
            wrong={problem?.field('starts_at')}
            onText={startAt}
          />
          <TextField
            label="Ends"
            type="datetime-local"
            value={draft.ends}
            wrong={problem?.field('ends_at')}
            onText={(ends) => set({ ends })}
          />
        </div>
        <TextField
          label="Time zone"
          value={draft.zone}
          list="time-zones"
          hint="The clocks of this zone are meant by the times above."
          wrong={problem?.field('time_zone')}
          onText={(zone) => set({ zone })}
        />
        <datalist id="time-zones">
          {timeZones().map((zone) => (
            <option key={zone} value={zone} />
          ))}
        </datalist>
        <TextField
          label="Place"
          optional
          value={draft.place}
          maxLength={500}
          wrong={problem?.field('place')}
          onText={(place) => set({ place })}
        />
        <div class="two">
          <TextField
            label="Link"
            type="url"
            optional
            value={draft.link}
            hint="An https address."
            wrong={problem?.field('link')}
            onText={(link) => set({ link })}
          />
          <TextField
            label="Places"
            optional
            inputMode="numeric"
            value={draft.capacity}
            hint="Empty: no limit."
            wrong={problem?.field('capacity')}
            onText={(text) => set({ capacity: text.replace(/\D/g, '') })}
          />
        </div>
        <SelectField
          label="Who can see it"
          value={draft.visibility}
          choices={visibilities}
          onChoose={(visibility) => set({ visibility })}
        />
        <TextArea
          label="Description"
          value={draft.description}
          maxLength={5000}
          wrong={problem?.field('description')}
          onText={(description) => set({ description })}
        />
      </form>
    </Dialog>
  );
}
