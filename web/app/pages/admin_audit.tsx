// Who did what: the audit log, which only grows.
import { useState } from 'preact/hooks';
import { parley } from '../client';
import { Button } from '../components/button';
import { Dialog } from '../components/dialog';
import { SearchField } from '../components/field';
import { Table } from '../components/table';
import { fullTime } from '../format';
import type { AuditEntry } from '../../sdk/index';
import { useAdminList } from '../state/admin';
import { userName } from '../state/users';

export function AdminAudit() {
  const [action, setAction] = useState('');
  const [looking, setLooking] = useState<AuditEntry | null>(null);
  const asked = action.trim();
  const list = useAdminList<AuditEntry>(
    null,
    (page) => parley.admin.audit({ ...page, ...(asked ? { action: asked } : {}) }),
    (entry) => entry.id,
    [asked],
  );
  return (
    <>
      <div class="admin-tools">
        <SearchField
          label="One action only, such as user.role_changed"
          value={action}
          onText={setAction}
        />
      </div>
      <Table
        label="Audit log"
        list={list}
        keyOf={(entry) => entry.id}
        empty={{
          icon: 'history',
          title: asked ? 'No such act' : 'Nothing yet',
          text: 'Decisions and changes by moderators, administrators and operators stand here.',
        }}
        columns={[
          { head: 'When', cell: (entry) => <time dateTime={entry.at}>{fullTime(entry.at)}</time> },
          {
            head: 'Who',
            cell: (entry) => (entry.actor_id ? userName(entry.actor_id) : 'the platform'),
          },
          { head: 'What', cell: (entry) => <code>{entry.action}</code> },
          {
            head: 'To',
            cell: (entry) =>
              entry.subject_kind === 'user' && entry.subject_id
                ? userName(entry.subject_id)
                : (entry.subject_kind ?? '–'),
          },
          {
            head: 'Deeds',
            deeds: true,
            cell: (entry) => (
              <Button small onClick={() => setLooking(entry)}>
                Look
              </Button>
            ),
          },
        ]}
      />
      {looking && (
        <Dialog title={looking.action} onClose={() => setLooking(null)}>
          <pre class="json">{JSON.stringify(looking, null, 2)}</pre>
        </Dialog>
      )}
    </>
  );
}
