// Who is connected right now, by which transport, and how much waits for them.
import { useEffect, useState } from 'preact/hooks';
import { parley } from '../client';
import { Ago } from '../components/ago';
import { Button } from '../components/button';
import { Table } from '../components/table';
import type { Id, NodeConnection } from '../../sdk/index';
import { useAdminList, useRefresh } from '../state/admin';
import { connected } from '../state/live';
import { notify, orSay } from '../state/notices';
import { userName } from '../state/users';

const REFRESH_MS = 5000;

export function AdminConnections() {
  const [of, setOf] = useState<Id | null>(null);
  const list = useAdminList<NodeConnection>(
    null,
    (page) => parley.admin.connections({ ...page, ...(of ? { user_id: of } : {}) }),
    (connection) => connection.id,
    [of],
  );
  // The first answer may be older than one's own connection.
  useEffect(() => void (connected.value && list.refresh()), [connected.value]);
  useRefresh(() => void (list.items.value.length <= 50 && list.reload()), REFRESH_MS);

  async function close(connection: NodeConnection): Promise<void> {
    const done = await orSay(
      'That did not work',
      parley.admin.closeConnection(connection.id).then(() => true),
    );
    if (!done) return;
    list.remove(connection.id);
    notify('Closed. The client may come back at once: disable the account to keep it away.');
  }

  return (
    <>
      {of && (
        <div class="admin-tools">
          <Button small icon="close" onClick={() => setOf(null)}>
            Only {userName(of)}
          </Button>
        </div>
      )}
      <Table
        label="Connections"
        list={list}
        keyOf={(connection) => connection.id}
        empty={{ icon: 'bolt', title: 'Nobody is connected', text: 'Not even you, so far.' }}
        columns={[
          {
            head: 'Who',
            cell: (connection) => (
              <Button small look="plain" onClick={() => setOf(connection.user_id)}>
                {userName(connection.user_id)}
              </Button>
            ),
          },
          { head: 'By', cell: (connection) => connection.transport },
          { head: 'From', cell: (connection) => <code>{connection.peer}</code> },
          { head: 'Since', cell: (connection) => <Ago time={connection.connected_at} /> },
          { head: 'Follows', figures: true, cell: (connection) => connection.follows },
          { head: 'Watches', figures: true, cell: (connection) => connection.watches },
          { head: 'Bytes waiting', figures: true, cell: (connection) => connection.queued_bytes },
          {
            head: 'Deeds',
            deeds: true,
            cell: (connection) => (
              <Button small look="danger" onClick={() => void close(connection)}>
                Close
              </Button>
            ),
          },
        ]}
      />
    </>
  );
}
