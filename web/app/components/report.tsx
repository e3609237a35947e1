// Tell the moderators about something.
import { useState } from 'preact/hooks';
import { parley } from '../client';
import type { Id, ParleyError, ReportReason, ReportSubject } from '../../sdk/index';
import { notify } from '../state/notices';
import { problemOf } from '../state/problem';
import { Button } from './button';
import { Dialog } from './dialog';
import { Choices, TextArea } from './field';
import { Banner } from './small';

const reasons: { value: ReportReason; label: string }[] = [
  { value: 'spam', label: 'Spam or advertising' },
  { value: 'abuse', label: 'Abuse or harassment' },
  { value: 'violence', label: 'Violence or threats' },
  { value: 'nudity', label: 'Nudity' },
  { value: 'other', label: 'Something else' },
];

export function Report({ kind, id, onClose }: { kind: ReportSubject; id: Id; onClose(): void }) {
  const [reason, setReason] = useState<ReportReason>('spam');
  const [text, setText] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ParleyError | null>(null);

  async function send(): Promise<void> {
    setBusy(true);
    setProblem(null);
    try {
      await parley.social.report({
        subject_kind: kind,
        subject_id: id,
        reason,
        ...(text.trim() ? { text: text.trim() } : {}),
      });
      onClose();
      notify('Thank you. The moderators will look at it.');
    } catch (caught) {
      setProblem(problemOf(caught));
      setBusy(false);
    }
  }

  return (
    <Dialog
      title="Report"
      unsaved={text.trim() !== ''}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" busy={busy} onClick={() => void send()}>
            Send report
          </Button>
        </>
      }
    >
      {problem && problem.fields.length === 0 && <Banner kind="problem">{problem.message}</Banner>}
      <Choices
        label="What is wrong?"
        name="reason"
        value={reason}
        choices={reasons}
        onChoose={(next) => setReason(next as ReportReason)}
      />
      <TextArea
        label="Anything to add?"
        hint="Only the moderators read this."
        value={text}
        maxLength={1000}
        wrong={problem?.field('text')}
        onText={setText}
      />
    </Dialog>
  );
}
