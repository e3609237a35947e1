"""Power loss. The data folder is on an ext4 image behind a loop device. What the server has written
but not synced is only in the page cache of that file system, not in the image; so a copy of the
image, taken while the server is frozen, is what a disk would hold after the plug was pulled. The
copy is mounted (ext4 replays its journal) and a server is started on it."""

import pathlib
import shutil
import signal
import tempfile
import threading
import time
import unittest

from mounts import ext4_image, mounted
from parleytest import Server
from parleytest.ws import Closed

ROUNDS = 3


class PowerLoss(unittest.TestCase):
    longMessage = True

    def test_acknowledged_is_on_the_disk(self):
        with tempfile.TemporaryDirectory(prefix="parley-power-") as folder:
            image = pathlib.Path(folder) / "disk"
            ext4_image(image, 256)
            # commit=300: no journal commit of its own accord while the test runs.
            with mounted("-o", "loop,commit=300", str(image)) as disk:
                for _ in range(ROUNDS):
                    self.one_round(pathlib.Path(folder), image, disk / "data")

    def one_round(self, folder, image, data):
        copy = folder / "copy"
        with Server(data=data) as server:
            anna, ben = server.users(2)
            chat = anna.direct(ben)["id"]
            acknowledged = []
            thread = threading.Thread(target=self.send, args=(anna, chat, acknowledged))
            thread.start()
            end = time.monotonic() + 30
            while len(acknowledged) < 200 and time.monotonic() < end:
                time.sleep(0.01)
            server.process.send_signal(signal.SIGSTOP)
            time.sleep(0.05)  # answers that are under way arrive
            promised = list(acknowledged)
            shutil.copyfile(image, copy)
            server.process.send_signal(signal.SIGCONT)
            server.kill()
            thread.join(20)
        self.assertGreaterEqual(len(promised), 200)
        with mounted("-o", "loop", str(copy)) as disk:
            with Server(data=disk / "data") as server:
                for user in (anna, ben):
                    user.server, user.http = server, server.http
                kept = ben.all_messages(chat)
                self.assertEqual([m["seq"] for m in kept], list(range(1, len(kept) + 1)))
                by_seq = {m["seq"]: m["client_id"] for m in kept}
                missing = [p for p in promised if by_seq.get(p[0]) != p[1]]
                self.assertEqual(missing, [], f"of {len(promised)} acknowledged")
                self.assertEqual(anna.send(chat, "after")["seq"], len(kept) + 1)
        copy.unlink()

    @staticmethod
    def send(user, chat, acknowledged):
        try:
            socket = user.ws()
            for i in range(10**6):
                frame = socket.call("chat.send", {"chat_id": chat, "text": f"m{i}",
                                                  "client_id": f"c{i}"}, 3)
                acknowledged.append((frame["data"]["seq"], f"c{i}"))
        except (Closed, OSError):
            pass
