"""What goes into a command, and what comes out of it: pieces of bounded size."""

import os

CHUNK = 1 << 16  # bytes that are read at once


def in_memory(data):
    """A descriptor from which ``data`` can be read."""
    end = os.memfd_create("data")
    with os.fdopen(os.dup(end), "wb") as filling:
        filling.write(data)
    os.lseek(end, 0, os.SEEK_SET)
    return end


def drain(ready, sinks):
    """Read once from each end that is ready; the number of bytes."""
    amount = 0
    for end in ready:
        if end in sinks:
            data = os.read(end, CHUNK)
            amount += len(data)
            if data:
                sinks[end].add(data)
            else:
                del sinks[end]
                os.close(end)
    return amount


class Trimmed:
    """Keeps the first and the last half of what fits."""

    def __init__(self, limit):
        self.half, self.head, self.tail, self.omitted = max(1, limit // 2), bytearray(), bytearray(), 0

    def add(self, data):
        room = self.half - len(self.head)
        self.head += data[:room]
        self.tail += data[room:] if room > 0 else data
        over = len(self.tail) - self.half
        if over > 0:
            del self.tail[:over]
            self.omitted += over

    def value(self):
        mark = b"\n[... %d bytes omitted ...]\n" % self.omitted if self.omitted else b""
        return bytes(self.head + mark + self.tail)


class Capped:
    """Keeps what fits and remembers whether there was more."""

    def __init__(self, limit):
        self.limit, self.data, self.overflow = limit, bytearray(), False

    def add(self, data):
        room = self.limit - len(self.data)
        self.overflow = self.overflow or len(data) > room
        self.data += data[: max(0, room)]
