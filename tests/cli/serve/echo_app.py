"""Replaces the app in a session: prints its arguments, then repeats its input.

It exits when it is asked to, when its input ends, or when it receives the key q.
"""

import json
import os
import sys


def say(**said: object) -> None:
    data = (json.dumps(said) + "\n").encode()
    sys.stdout.buffer.write(b"D" + len(data).to_bytes(4, "big") + data)
    sys.stdout.buffer.flush()


sys.stdout.buffer.write(b"__GANGLION__\n")
say(pid=os.getpid(), arguments=sys.argv[1:])
while header := sys.stdin.buffer.read(5):
    payload = sys.stdin.buffer.read(int.from_bytes(header[1:], "big")).decode()
    if header[:1] == b"M" and json.loads(payload)["type"] == "quit":
        break
    say(pid=os.getpid(), kind=header[:1].decode(), received=payload)
    if payload == "q":
        break
