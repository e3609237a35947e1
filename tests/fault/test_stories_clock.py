"""Stories and the clock of the running server: faketime moves the wall clock, the monotonic one goes
on, so what the cache holds stays there and only the reader's look at the clock counts."""

import re
import time

from faketime import ClockCase

DAY = 86400


class Stories(ClockCase):
    settings = {"story.clean_every": "1s"}

    def ids(self, answer):
        self.assertEqual(answer.status, 200, answer)
        return [s["id"] for s in answer.json["items"]]

    def see(self, story, there):
        """From every side."""
        for user in (self.author, self.follower):
            found = [story] if there else []
            self.assertEqual(self.ids(user.get("/stories")), found)
            self.assertEqual(self.ids(user.get(f"/users/{self.author.id}/stories")), found)
            self.assertEqual(user.put(f"/stories/{story}/view").status, 204 if there else 404)
        viewers = self.author.get(f"/stories/{story}/viewers")
        self.assertEqual(viewers.status, 200 if there else 404)

    def test_gone_after_a_day_whatever_is_cached(self):
        self.author, self.follower = self.server.users(2)
        self.assertEqual(self.follower.put(f"/users/{self.author.id}/follow").status, 200)
        story = self.author.post("/stories", {"text": "for a day"}).json["id"]
        self.see(story, True)
        for moved, there in ((DAY - 30, True), (DAY + 1, False)):
            self.jump(moved)
            time.sleep(0.2)
            for user in (self.author, self.follower):
                self.sign_in_again(user)
            self.see(story, there)
        self.assertEqual(self.author.delete(f"/stories/{story}").code, "story_not_found")
        self.eventually(lambda: self.cleaned("story") == 1 and self.cleaned("view") == 1)

    def cleaned(self, kind):
        text = self.server.get("/metrics").body.decode()
        found = re.search(f'parley_story_cleaned_total{{kind="{kind}"}} (\\d+)', text)
        return int(found.group(1))

    def test_the_day_of_ten(self):
        self.author = self.server.user()
        for i in range(10):
            self.assertEqual(self.author.post("/stories", {"text": f"{i}"}).status, 201)
        refused = self.author.post("/stories", {"text": "x"})
        self.assertEqual((refused.status, refused.code), (429, "too_many_stories"))
        self.jump(DAY - 30)
        time.sleep(0.2)
        self.sign_in_again(self.author)
        refused = self.author.post("/stories", {"text": "x"})
        self.assertEqual((refused.status, refused.code), (429, "too_many_stories"))
        self.assertLessEqual(int(refused.header("retry-after")), 30)
        self.jump(DAY + 1)
        time.sleep(0.2)
        self.assertEqual(self.author.post("/stories", {"text": "a new day"}).status, 201)
