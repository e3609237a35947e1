// Parts of a page that have addresses of their own: links, with the present one marked.

export interface Tab {
  id: string;
  label: string;
  path: string;
  count?: number;
}

export function Tabs({ label, tabs, now }: { label: string; tabs: readonly Tab[]; now: string }) {
  return (
    <nav class="tabs" aria-label={label}>
      {tabs.map((tab) => (
        <a key={tab.id} href={tab.path} aria-current={tab.id === now ? 'page' : undefined}>
          {tab.label}
          {tab.count !== undefined && tab.count > 0 && <span class="count">{tab.count}</span>}
        </a>
      ))}
    </nav>
  );
}
