// Administration: one page with a part for each thing that runs the platform. Moderators have the
// reports, administrators all of it.
import type { ComponentType } from 'preact';
import { useEffect } from 'preact/hooks';
import { Page } from '../components/page';
import { Empty } from '../components/small';
import { Tabs } from '../components/tabs';
import type { PageProps } from '../pages';
import { navigate } from '../state/route';
import { me } from '../state/session';
import { AdminAudit } from './admin_audit';
import { AdminConnections } from './admin_connections';
import { AdminDeadLetters } from './admin_dead_letters';
import { AdminNodes } from './admin_nodes';
import { AdminReports } from './admin_reports';
import { AdminSagas } from './admin_sagas';
import { AdminUsers } from './admin_users';

const areas: { id: string; label: string; content: ComponentType; moderators?: boolean }[] = [
  { id: 'users', label: 'People', content: AdminUsers },
  { id: 'reports', label: 'Reports', content: AdminReports, moderators: true },
  { id: 'sagas', label: 'Sagas', content: AdminSagas },
  { id: 'dead-letters', label: 'Dead letters', content: AdminDeadLetters },
  { id: 'audit', label: 'Audit log', content: AdminAudit },
  { id: 'nodes', label: 'Nodes', content: AdminNodes },
  { id: 'connections', label: 'Connections', content: AdminConnections },
];

export default function Admin({ params }: PageProps) {
  const mine = areas.filter((area) => area.moderators || me.value?.role === 'admin');
  const shown = mine.find((area) => area.id === params.area);
  useEffect(() => {
    if (params.area === undefined) navigate(`/admin/${mine[0]!.id}`, true);
  }, [params.area]);
  return (
    <Page
      title="Administration"
      wide
      sticky={
        <Tabs
          label="Administration"
          now={params.area ?? ''}
          tabs={mine.map(({ id, label }) => ({ id, label, path: `/admin/${id}` }))}
        />
      }
    >
      {shown ? (
        <shown.content key={shown.id} />
      ) : (
        params.area !== undefined && (
          <Empty icon="shield" title="Nothing for you here">
            <p>There is no such part, or it is for administrators only.</p>
          </Empty>
        )
      )}
    </Page>
  );
}
