"""Small file systems of their own for a test; they need root and the kernel's leave."""

import contextlib
import os
import pathlib
import subprocess
import tempfile
import unittest


def run(*command):
    return subprocess.run(command, capture_output=True, check=False)


@contextlib.contextmanager
def mounted(*mount_arguments):
    """Mounts on a temporary folder; skips the test when that is not possible."""
    if os.geteuid() != 0:
        raise unittest.SkipTest("mounting needs root")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="parley-mount-"))
    done = run("mount", *mount_arguments, str(folder))
    if done.returncode != 0:
        folder.rmdir()
        raise unittest.SkipTest("cannot mount: " + done.stderr.decode().strip())
    try:
        yield folder
    finally:
        run("umount", "-l", str(folder))
        folder.rmdir()


def ext4_image(path, megabytes):
    with open(path, "wb") as image:
        image.truncate(megabytes << 20)
    done = run("mkfs.ext4", "-q", "-F", str(path))
    if done.returncode != 0:
        raise unittest.SkipTest("cannot make an ext4 image: " + done.stderr.decode().strip())
