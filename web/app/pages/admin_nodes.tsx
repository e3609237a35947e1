// The processes of the platform, and how they are.
import { parley } from '../client';
import { Empty, TryAgain } from '../components/small';
import { fullTime } from '../format';
import type { Node } from '../../sdk/index';
import { useAdminList, useRefresh } from '../state/admin';

const REFRESH_MS = 5000;

export function AdminNodes() {
  const list = useAdminList<Node>(
    null,
    (page) => parley.admin.nodes(page),
    (node) => node.id,
  );
  useRefresh(() => void list.reload(), REFRESH_MS);
  if (list.problem.value)
    return <TryAgain retry={() => list.retry()}>{list.problem.value}</TryAgain>;
  if (!list.loaded.value) return <section class="panel node-bones skeleton" aria-hidden="true" />;
  if (list.items.value.length === 0) return <Empty icon="server" title="No node answers" />;
  return (
    <>
      {list.items.value.map((node) => (
        <NodePanel key={node.id} node={node} />
      ))}
    </>
  );
}

function NodePanel({ node }: { node: Node }) {
  return (
    <section class="panel node" aria-label={node.address}>
      <h2>{node.address}</h2>
      <p class="soft">
        Parley {node.version} · {node.roles.join(', ')} · since {fullTime(node.started_at)}
      </p>
      <dl class="figures-row">
        <Figure name="Up" value={uptime(node.uptime_s)} />
        <Figure name="Sessions" value={node.sessions.toLocaleString()} />
        <Figure name="Loops" value={node.loops} />
        <Figure name="Log head" value={Number(node.log_head).toLocaleString()} />
      </dl>
      <h3>Engines</h3>
      <ul class="engines">
        {Object.entries(node.engines).map(([name, status]) => (
          <li key={name}>
            {name} <span class={`tag ${status === 'ok' ? 'approved' : 'rejected'}`}>{status}</span>
          </li>
        ))}
      </ul>
      <h3>Consumers</h3>
      <ul class="engines">
        {node.consumers.map((consumer) => (
          <li key={consumer.name}>
            {consumer.name}{' '}
            <span class={`tag ${consumer.lag === 0 ? 'approved' : 'pending'}`}>
              {consumer.lag === 0 ? 'up to date' : `${consumer.lag.toLocaleString()} behind`}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Figure({ name, value }: { name: string; value: string | number }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function uptime(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`;
}
