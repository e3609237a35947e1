"""Topics that a client watches while it looks at something: the op and the event stream's query."""

import uuid

from parleytest.case import ApiCase


class Watch(ApiCase):
    def setUp(self):
        super().setUp()
        self.user = self.server.user()

    def test_what_is_not_there_is_named(self):
        ws = self.user.reader("ws").ws
        answer = ws.call("watch", {"topics": ["nothing", f"post:{uuid.uuid4()}", "post:1"]})
        self.assertEqual(answer["data"]["topics"], [])
        self.assertEqual([r["topic"].split(":")[0] for r in answer["data"]["refused"]],
                         ["nothing", "post", "post"])
        self.assertEqual(ws.call("watch", {"topics": []})["data"], {"topics": [], "refused": []})
        ws.close()

    def test_bad_sets(self):
        ws = self.user.reader("ws").ws
        for data in ({}, {"topics": "signals"}, {"topics": ["x"] * 21}, {"topics": [""]},
                     {"topics": [1]}, {"topics": ["x" * 101]}):
            with self.subTest(data=str(data)[:40]):
                self.assertEqual(ws.call("watch", data)["error"]["status"], 422)
        ws.close()

    def test_admin_topics_are_for_admins(self):
        ws = self.user.reader("ws").ws
        refused = ws.call("watch", {"topics": ["admin"]})["data"]["refused"]
        self.assertEqual(len(refused), 1)
        ws.close()

    def test_an_event_stream_with_an_unknown_topic_is_refused(self):
        answer = self.user.get("/stream?watch=nothing")
        self.refused(answer, 404, "unknown_topic")
