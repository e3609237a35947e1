// What people have reported, and what was done about it.
import { useState } from 'preact/hooks';
import { parley } from '../client';
import { Ago } from '../components/ago';
import { Button } from '../components/button';
import { Dialog } from '../components/dialog';
import { Segments, TextArea } from '../components/field';
import { Table } from '../components/table';
import type { Report, ReportStatus } from '../../sdk/index';
import { useAdminList } from '../state/admin';
import { orSay } from '../state/notices';
import { userName } from '../state/users';

const subjects: Record<Report['subject_kind'], string> = {
  user: 'a person',
  post: 'a post',
  comment: 'a comment',
  message: 'a message',
  story: 'a story',
  event: 'an event',
  trade_signal: 'a trade signal',
};

export function AdminReports() {
  const [status, setStatus] = useState<ReportStatus>('open');
  const [handling, setHandling] = useState<Report | null>(null);
  const list = useAdminList<Report>(
    'reports',
    (page) => parley.admin.reports({ ...page, status }),
    (report) => report.id,
    [status],
  );
  return (
    <>
      <div class="admin-tools">
        <Segments
          label="Which reports"
          name="status"
          value={status}
          choices={[
            { value: 'open', label: 'Open' },
            { value: 'resolved', label: 'Resolved' },
            { value: 'dismissed', label: 'Dismissed' },
          ]}
          onChoose={(next) => setStatus(next)}
        />
      </div>
      <Table
        label="Reports"
        list={list}
        keyOf={(report) => report.id}
        empty={{
          icon: 'flag',
          title: status === 'open' ? 'Nothing to look at' : 'None yet',
          text: 'New reports appear here at once.',
        }}
        columns={[
          { head: 'About', cell: (report) => <Subject report={report} /> },
          { head: 'Reason', cell: (report) => <span class="tag">{report.reason}</span> },
          { head: 'Words', cell: (report) => report.text ?? '–' },
          {
            head: 'From',
            cell: (report) => (report.reporter_id ? userName(report.reporter_id) : 'deleted'),
          },
          { head: 'When', cell: (report) => <Ago time={report.created_at} /> },
          {
            head: 'Deeds',
            deeds: true,
            cell: (report) =>
              report.status === 'open' ? (
                <Button small look="primary" onClick={() => setHandling(report)}>
                  Handle
                </Button>
              ) : (
                <span class="soft">
                  {report.handled_by && userName(report.handled_by)}
                  {report.note && `: ${report.note}`}
                </span>
              ),
          },
        ]}
      />
      {handling && (
        <Handle
          report={handling}
          onClose={() => setHandling(null)}
          onDone={() => {
            setHandling(null);
            list.remove(handling.id);
          }}
        />
      )}
    </>
  );
}

function Subject({ report }: { report: Report }) {
  if (report.subject_kind === 'user') return <span>{userName(report.subject_id)}</span>;
  const path =
    report.subject_kind === 'post'
      ? `/p/${report.subject_id}`
      : report.subject_kind === 'event'
        ? `/events/${report.subject_id}`
        : null;
  const words = subjects[report.subject_kind];
  return path ? <a href={path}>{words}</a> : <span title={report.subject_id}>{words}</span>;
}

function Handle({ report, onClose, onDone }: { report: Report; onClose(): void; onDone(): void }) {
  const [note, setNote] = useState('');
  const [busy, setBusy] = useState(false);

  async function handle(status: ReportStatus): Promise<void> {
    setBusy(true);
    const done = await orSay(
      'That did not work',
      parley.admin.handleReport(report.id, {
        status,
        ...(note.trim() ? { note: note.trim() } : {}),
      }),
    );
    setBusy(false);
    if (done) onDone();
  }

  return (
    <Dialog
      title="Handle this report"
      unsaved={note.trim() !== ''}
      onClose={onClose}
      footer={
        <>
          <Button busy={busy} onClick={() => void handle('dismissed')}>
            Dismiss
          </Button>
          <Button look="primary" busy={busy} onClick={() => void handle('resolved')}>
            Mark as resolved
          </Button>
        </>
      }
    >
      <p>
        About <Subject report={report} />: {report.reason}.
      </p>
      {report.text && <blockquote class="reported-words">{report.text}</blockquote>}
      <TextArea
        label="Note"
        hint="What you did, for the other moderators."
        value={note}
        maxLength={1000}
        onText={setNote}
      />
    </Dialog>
  );
}
