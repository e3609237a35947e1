"""Every statement of the tree against a migrated database: none reads a whole table, or sorts one,
unless it is named here with the reason why that is bounded (S05, D06)."""

import concurrent.futures
import json
import os
import pathlib
import re
import sqlite3
import subprocess
import tempfile

from parleytest.case import ApiCase
from parleytest.server import binary, clean_environment

ROOT = pathlib.Path(__file__).parents[2]
STRINGS = re.compile(r'(?:"(?:[^"\\]|\\.)*"\s*)+')
CONSTANT = re.compile(r"struct db_sql\s+(\w+)\s*(?:\[[^]]*\])*\s*=\s*\{(.*?)\};", re.S)

# Tables of a row or a few: state of the house, keys, work that waits to be done.
SMALL = {"auth_letter", "signing_key", "social_duty", "post_erasure", "chat_leaver", "feed_big",
         "chat_acquaintance", "event_type", "log_state", "log_epoch", "message_state", "message_filter",
         "message_wide",
         "schema_migration", "sqlite_schema", "sqlite_sequence", "outbox_origin"}
# Statement: why it may.
ALLOWED = {
    "sql_keys": "signing keys, a handful",
    "sql_pending": "a partial index of the posts on their way, with a limit",
    "sql_tasks": "the first tasks, by the key",
    "sql_other_admin": "a partial index of the administrators",
    "sql_free": "a partial index of gatherings with places that are free and somebody who waits",
    "sql_packs": "at start: at most 4096 blobs",
    "sql_last": "the newest row by the key",
    "select_last": "the newest row by the key",
    "sql_page": "a page of sagas, by the key",
    "sql_page_of_state": "sorts the steps of one page",
    "sql_of": "an export: one person's reports",
    "sql_match": "a bounded number of hits",
    "sql_search": "a bounded number of hits",
    "sql_answered": "what one person has answered",
    "sql_invited": "what one person is invited to",
    "sql_feed": "one person's own calendar",
    "sql_hosted_by": "as many hosts as are given, each by the index",
    "list_sql": "one person's chats",
}


def statements(path):
    """(name, text) of the constants of a source file, macros expanded."""
    done = subprocess.run(["cc", "-E", "-P", "-std=gnu17", "-D_GNU_SOURCE", f"-I{ROOT}/src", path],
                          capture_output=True, text=True, check=False)
    for name, body in CONSTANT.findall(done.stdout):
        for group in STRINGS.findall(body):
            text = "".join(json.loads(piece) for piece in re.findall(r'"(?:[^"\\]|\\.)*"', group))
            if re.match(r"(SELECT|INSERT|UPDATE|DELETE|WITH|REPLACE)\b", text):
                yield path.name, name, text


def faults(plan, name):
    for step in plan:
        table = re.match(r"SCAN (\w+)$", step)
        whole = table and table[1] not in SMALL | {"CONSTANT"}
        sorts = step == "USE TEMP B-TREE FOR ORDER BY"
        if (whole or sorts or "AUTOMATIC" in step or "USING INDEX" in step and
                step.startswith("SCAN")) and name not in ALLOWED:
            yield step


class Statements(ApiCase):
    def databases(self, folder):
        subprocess.run([binary(), "migrate", "--data", folder, "--set",
                        "database.rooms=social=own"], check=True, capture_output=True,
                       env=clean_environment())
        return [sqlite3.connect(path) for path in sorted(pathlib.Path(folder).glob("*.db"))]

    def plan(self, databases, text):
        """None when no database has its tables: one of before, read once when a room is new."""
        values = [None] * max([int(n) for n in re.findall(r"\?(\d+)", text)], default=0)
        for database in databases:
            try:
                return [row[3] for row in database.execute("EXPLAIN QUERY PLAN " + text, values)]
            except sqlite3.OperationalError as error:
                if "no such table" not in str(error):
                    raise
        return None

    def test_none_reads_or_sorts_a_whole_table(self):
        paths = [p for p in ROOT.glob("src/**/*.c") if "struct db_sql" in p.read_text()]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            found = [s for file in pool.map(lambda p: list(statements(p)), paths) for s in file]
        self.assertGreater(len(found), 300)
        with tempfile.TemporaryDirectory(prefix="parley-test-") as folder:
            databases = self.databases(folder)
            wrong = [f"{path} {name}: {step}" for path, name, text in found
                     for step in faults(self.plan(databases, text) or [], name)]
            for database in databases:
                database.close()
        self.assertEqual(wrong, [])
