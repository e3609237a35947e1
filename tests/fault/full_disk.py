"""Filling a small file system, and giving the room back."""


def fill(disk, leave):
    """A file that takes all the room but about `leave` bytes."""
    filler = disk / "filler"
    with open(filler, "wb", buffering=0) as file:
        try:
            while file.write(bytes(1 << 16)) > 0:
                continue
        except OSError:
            pass
    with open(filler, "r+b") as file:
        file.truncate(max(0, filler.stat().st_size - leave))
    return filler
