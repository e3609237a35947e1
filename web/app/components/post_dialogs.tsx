// Small windows about a post: who likes it, what it said before.
import { useMemo } from 'preact/hooks';
import { parley } from '../client';
import type { Id, Post, PostVersion } from '../../sdk/index';
import { fullTime } from '../format';
import { PagedList, useList } from '../state/list';
import { Dialog } from './dialog';
import { Bones, ListView } from './list';
import { PersonLine } from './person_line';
import { RichText } from './rich_text';

export function Likers({ postId, onClose }: { postId: Id; onClose(): void }) {
  const list = useMemo(
    () =>
      new PagedList(
        (query) => parley.posts.likes(postId, query),
        (like) => like.user_id,
      ),
    [postId],
  );
  useList(list);
  return (
    <Dialog title="Liked by" onClose={onClose}>
      <div
        onScroll={() => void list.more()}
        onFocusCapture={() => void list.more()}
        class="in-dialog"
      >
        <ListView
          list={list}
          label="People"
          plain
          keyOf={(like) => like.user_id}
          draw={(like) => <PersonLine id={like.user_id} />}
          empty={<p>Nobody yet.</p>}
          skeleton={() => <Bones widths={['60%']} />}
        />
      </div>
    </Dialog>
  );
}

export function History({ post, onClose }: { post: Post; onClose(): void }) {
  const list = useMemo(
    () =>
      new PagedList<PostVersion>(
        (query) => parley.posts.history(post.id, query),
        (version) => version.version,
      ),
    [post.id],
  );
  useList(list);
  return (
    <Dialog title="What it said before" onClose={onClose}>
      <ListView
        list={list}
        label="Versions"
        plain
        keyOf={(version) => String(version.version)}
        draw={(version) => (
          <div class="version">
            <p class="note">Until {fullTime(version.edited_at)}</p>
            <RichText text={version.text} />
          </div>
        )}
        empty={<p>Nothing is kept of what it said before.</p>}
        skeleton={() => <Bones widths={['40%', '90%']} />}
      />
    </Dialog>
  );
}
