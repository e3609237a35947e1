// Changes that take several rooms: under way, completed, or taken back.
import { useState } from 'preact/hooks';
import { parley } from '../client';
import { Ago } from '../components/ago';
import { Segments } from '../components/field';
import { Table } from '../components/table';
import { fullTime } from '../format';
import type { Saga } from '../../sdk/index';
import { useAdminList } from '../state/admin';

const states: { value: Saga['state'] | 'all'; label: string }[] = [
  { value: 'all', label: 'All' },
  { value: 'running', label: 'Running' },
  { value: 'completed', label: 'Completed' },
  { value: 'compensated', label: 'Taken back' },
];

const tags: Record<Saga['state'], { look: string; label: string }> = {
  running: { look: 'pending', label: 'running' },
  completed: { look: 'approved', label: 'completed' },
  compensated: { look: 'rejected', label: 'taken back' },
};

export function AdminSagas() {
  const [state, setState] = useState<Saga['state'] | 'all'>('all');
  const list = useAdminList<Saga>(
    'sagas',
    (page) => parley.admin.sagas({ ...page, ...(state === 'all' ? {} : { state }) }),
    (saga) => saga.id,
    [state],
  );
  return (
    <>
      <div class="admin-tools">
        <Segments
          label="Which sagas"
          name="state"
          value={state}
          choices={states}
          onChoose={(next) => setState(next)}
        />
      </div>
      <Table
        label="Sagas"
        list={list}
        keyOf={(saga) => saga.id}
        empty={{
          icon: 'history',
          title: 'None of these',
          text: 'A registration is one: it appears here while it is under way and when it has ended.',
        }}
        columns={[
          { head: 'What', cell: (saga) => saga.kind },
          {
            head: 'State',
            cell: (saga) => (
              <span class={`tag ${tags[saga.state].look}`}>{tags[saga.state].label}</span>
            ),
          },
          {
            head: 'Steps',
            cell: (saga) => (
              <span class="chain">
                {saga.steps.map((step) => (
                  <span key={step.name} title={fullTime(step.at)}>
                    {step.name}
                  </span>
                ))}
              </span>
            ),
          },
          { head: 'Error', cell: (saga) => saga.error ?? '–' },
          { head: 'Began', cell: (saga) => <Ago time={saga.started_at} /> },
          { head: 'Took', figures: true, cell: took },
        ]}
      />
    </>
  );
}

function took(saga: Saga): string {
  if (saga.ended_at === null) return '–';
  const ms = Date.parse(saga.ended_at) - Date.parse(saga.started_at);
  return ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`;
}
