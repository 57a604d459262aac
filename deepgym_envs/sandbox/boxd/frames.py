"""Requests and answers as they travel: two big-endian 32-bit lengths, a JSON header, a body.

``blobs`` in the header cuts the body into pieces.
"""

import json
import os


def receive(end):
    head = read_exactly(end, 8)
    header = json.loads(read_exactly(end, int.from_bytes(head[:4], "big")))
    body = read_exactly(end, int.from_bytes(head[4:], "big"))
    blobs, start = [], 0
    for size in header.pop("blobs"):
        blobs.append(body[start : start + size])
        start += size
    return header, blobs


def send(end, header, blobs):
    text = json.dumps({**header, "blobs": [len(blob) for blob in blobs]}).encode()
    head = len(text).to_bytes(4, "big") + sum(map(len, blobs)).to_bytes(4, "big")
    for piece in (head + text, *blobs):
        data = memoryview(piece)
        while data:
            data = data[os.write(end, data) :]


def read_exactly(end, size):
    data = bytearray()
    while len(data) < size:
        chunk = os.read(end, min(size - len(data), 1 << 20))
        if not chunk:
            raise EOFError
        data += chunk
    return bytes(data)
