"""What must always hold between the tables of the rooms for people and content, read from a copy of
the data folder of a server that is at rest."""

import collections
import contextlib
import json
import pathlib
import shutil
import sqlite3
import tempfile

YES, MAYBE, NO, WAITING = range(4)
# Where somebody who has deleted their account may still be named: what has happened stays for as
# long as the log keeps it, who did what is on record, letters go their own way, and sessions that
# were ended, nameless, until their tokens are worth nothing.
REMEMBERED = {"session", "log", "log_stream", "saga", "saga_step", "audit", "idempotency_key",
              "auth_letter", "message_block", "outbox"}


def own_databases(folder):
    """Of rooms (database.rooms): their tables are in no other, so that names find them."""
    return sorted(path.stem for path in pathlib.Path(folder).glob("*.db")
                  if path.stem not in ("main", "search", "feed"))


@contextlib.contextmanager
def copied(data):
    """The folder as a crash would leave it, opened for reading and recovery."""
    with tempfile.TemporaryDirectory(prefix="parley-judge-") as folder:
        copy = shutil.copytree(data, folder + "/data", ignore=lambda d, names: [
            n for n in names if n.endswith((".lock", ".sock", "-shm")) or n == "control"])
        db = sqlite3.connect(copy + "/main.db")
        for name in own_databases(copy):
            db.execute(f"ATTACH '{copy}/{name}.db' AS {name}")
        try:
            yield db
        finally:
            db.close()


def hexed(ident):
    return ident.replace("-", "")


class Judge:
    """Raises AssertionErrors through the test case that it is given."""

    def __init__(self, test, db):
        self.test, self.db = test, db

    def rows(self, sql, *args):
        return self.db.execute(sql, args).fetchall()

    def schemas(self):
        return [r[1] for r in self.rows("PRAGMA database_list") if r[1] != "temp"]

    def none(self, what, sql, *args):
        self.test.assertEqual(self.rows(sql, *args), [], what)

    def all(self):
        self.none("damaged", "SELECT * FROM pragma_integrity_check "
                             "WHERE integrity_check <> 'ok'")
        self.relations()
        self.blocks()
        self.posts()
        self.events()
        self.stories_and_signals()
        self.log()
        self.none("sagas run", "SELECT hex(subject_id) FROM saga WHERE state = 0")
        self.none("active without an end", "SELECT hex(user_id) FROM account EXCEPT "
                                           "SELECT hex(subject_id) FROM saga WHERE state = 1")
        for schema in self.schemas():
            self.none("dead letters", f"SELECT consumer, type, reason FROM {schema}.dead_letter")
        self.outboxes()
        for table in ("profile", "chat_profile", "social_person"):
            self.none(table, f"SELECT hex(user_id) FROM {table} EXCEPT "
                             "SELECT hex(user_id) FROM account")
            self.none(table, "SELECT hex(user_id) FROM account EXCEPT "
                             f"SELECT hex(user_id) FROM {table}")

    def outboxes(self):
        """What they still hold has been relayed; no more than the numbers that were given."""
        for schema in self.schemas()[1:]:
            origin, = self.rows(f"SELECT id FROM {schema}.outbox_origin")
            (relayed,), = self.rows("SELECT number FROM outbox_relayed WHERE origin = ?", *origin)
            self.none("not relayed", f"SELECT number, name FROM {schema}.outbox WHERE number > ?",
                      relayed)
            self.test.assertEqual(self.rows(f"SELECT seq FROM {schema}.sqlite_sequence"
                                            " WHERE name = 'outbox'"), [(relayed,)])

    # --- people -------------------------------------------------------------------------------
    def relations(self):
        for a, b in (("following", "follower"), ("follower", "following")):
            self.none(f"{a} without {b}", f"SELECT hex(follower_id), hex(target_id), muted FROM {a}"
                                          f" EXCEPT SELECT hex(follower_id), hex(target_id), muted"
                                          f" FROM {b}")
        for column, table, whose in (
                ("follower_count", "follower", "target_id"),
                ("following_count", "following", "follower_id"),
                ("asking_count", "follow_request", "asker_id"),
                ("block_count", "block", "blocker_id"),
                ("mute_count", "mute", "muter_id")):
            self.none(column, f"SELECT hex(user_id), {column} FROM social_person p WHERE {column}"
                              f" <> (SELECT count(*) FROM {table} t WHERE t.{whose} = p.user_id)")
            self.none(f"{table} of nobody", f"SELECT hex({whose}) FROM {table} WHERE {whose} NOT IN"
                                            " (SELECT user_id FROM social_person)")
        self.none("follows across a block",
                  "SELECT hex(follower_id), hex(target_id) FROM following f JOIN block b ON"
                  " (b.blocker_id = f.follower_id AND b.blocked_id = f.target_id) OR"
                  " (b.blocked_id = f.follower_id AND b.blocker_id = f.target_id)")

    def blocks(self):
        packed = []
        for (pairs,) in self.rows("SELECT pairs FROM block_pack"):
            packed += [(pairs[i:i + 16], pairs[i + 16:i + 32]) for i in range(0, len(pairs), 32)]
        self.test.assertEqual(sorted(packed),
                              sorted(self.rows("SELECT blocker_id, blocked_id FROM block")))

    # --- content ------------------------------------------------------------------------------
    def posts(self):
        for column, counted in (("likes", "post_like l WHERE l.post_id = p.id"),
                                ("comments",
                                 "comment l WHERE l.post_id = p.id AND deleted_at = 0")):
            self.none(column, f"SELECT hex(p.id), {column} FROM post p LEFT JOIN post_count c ON"
                              f" c.post_id = p.id WHERE p.deleted_at = 0 AND coalesce({column}, 0)"
                              f" <> (SELECT count(*) FROM {counted})")

    def events(self):
        for status, column in ((YES, "yes"), (MAYBE, "maybe"), (WAITING, "waiting")):
            self.none(column, f"SELECT hex(gathering_id), {column}_count FROM gathering g WHERE"
                              f" {column}_count <> (SELECT count(*) FROM rsvp r WHERE"
                              " r.gathering_id = g.gathering_id AND r.status = ?)", status)
        self.none("too many", "SELECT title, yes_count FROM gathering WHERE yes_count > capacity")
        self.none("free places, and people wait", "SELECT title FROM gathering WHERE"
                  " waiting_count > 0 AND yes_count < capacity AND deleted_at IS NULL")

    def stories_and_signals(self):
        self.none("viewers", "SELECT hex(story_id) FROM story s WHERE deleted_at = 0 AND"
                             " viewer_count <> (SELECT count(*) FROM story_viewer v WHERE v.story_id"
                             " = s.story_id)")
        self.none("stories of authors", "SELECT hex(story_id) FROM story WHERE deleted_at = 0"
                                        " EXCEPT SELECT hex(story_id) FROM story_by_author")
        self.none("status and history", "SELECT hex(signal_id) FROM trade_signal s WHERE status <>"
                  " (SELECT status FROM trade_signal_history h WHERE h.signal_id = s.signal_id"
                  " ORDER BY step DESC LIMIT 1)")

    # --- the log ------------------------------------------------------------------------------
    def told(self, name):
        return [json.loads(data) for (data,) in self.rows(
            "SELECT data FROM log JOIN event_type t ON t.number = log.type WHERE t.name = ?"
            " ORDER BY pos", name)]

    def log(self):
        for name, key, table in (("post.created", "id", "post"),
                                 ("story.posted", "story_id", "story"),
                                 ("trade_signal.created", "signal_id", "trade_signal"),
                                 ("event.created", "gathering_id", "gathering")):
            told = collections.Counter(hexed(e["id"]).upper() for e in self.told(name))
            self.test.assertEqual([i for i, n in told.items() if n != 1], [], f"{name} twice")
            kept = {r[0] for r in self.rows(f"SELECT hex({key}) FROM {table}")}
            self.test.assertEqual(kept - set(told), set(), f"{table} without {name}")
        comments = collections.Counter(e["comment"]["id"] for e in self.told("post.commented"))
        self.test.assertEqual([i for i, n in comments.items() if n != 1], [])
        decided = collections.Counter((e["id"], e["status"]) for e in self.told("signal.decided"))
        self.test.assertEqual([i for i, n in decided.items() if n != 1], [])
        self.follows_as_told()

    def follows_as_told(self):
        """Each change of an edge is told twice (on either stream), and the last is what stands."""
        last, people = {}, {r[0] for r in self.rows("SELECT hex(user_id) FROM account")}
        events = self.told("follow.changed")
        for first, second in zip(events[::2], events[1::2]):
            self.test.assertEqual(first, second, "on both streams")
            pair = (hexed(first["user_id"]).upper(), hexed(first["target_id"]).upper())
            self.test.assertNotEqual(last.get(pair, "none"), first["status"], "told twice")
            last[pair] = first["status"]
        told = {p for p, status in last.items() if status == "following" and set(p) <= people}
        kept = set(self.rows("SELECT hex(follower_id), hex(target_id) FROM following"))
        self.test.assertEqual(told, kept, "what is told of follows, and what stands")

    # --- people who are gone ------------------------------------------------------------------
    def gone(self, ident):
        """No table but those that remember has the id in any column."""
        raw, found = bytes.fromhex(hexed(ident)), []
        places = [(schema, table) for schema in self.schemas() for (table,) in self.rows(
            f"SELECT name FROM {schema}.sqlite_master WHERE type = 'table' AND"
            " name NOT LIKE 'sqlite_%' AND name NOT LIKE '%_fts%'")]
        for schema, table in places:
            columns = [c[1] for c in self.rows(f"PRAGMA {schema}.table_info({table})")]
            where = " OR ".join(f'instr(CAST("{c}" AS BLOB), ?1) OR "{c}" = ?2' for c in columns)
            if table not in REMEMBERED and self.rows(
                    f"SELECT 1 FROM {schema}.{table} WHERE {where} LIMIT 1", raw, ident):
                found.append(table)
        self.test.assertEqual(found, [], f"{ident} has deleted their account")
