"""Malicious input from a client: keys, pastes, and reports that only a terminal should send.

Everything follows from the seed, so a run that found something can be repeated.
"""

from __future__ import annotations

import random

START, END = b"\x1b[200~", b"\x1b[201~"

WORDS = (
    *(b"/etc/passwd", b"../../../etc/shadow", b"~/.ssh/authorized_keys", b"file:///etc/passwd"),
    *(b"!sh", b":!sh\r", b"$(id)", b"`id`", b"; id", b"| sh", b"import os", b"vi", b"exit\r"),
    *(b"openai:x http://127.0.0.1:9/v1", b"hf:owner/repo", b"http://127.0.0.1:9/", b"[/b]"),
    *("中文 👩‍👧 é".encode(), "\u202e\u200b\u0301".encode(), b"%s%n{0}{x.__class__}"),
)
REPLIES = (
    *(b"\x1b[?2026;1$y", b"\x1b[?2048;1$y", b"\x1b[?2048;2$y", b"\x1b[?62;4c", b"\x1b[>0;276;0c"),
    *(b"\x1b[24;80R", b"\x1b[999999;999999R", b"\x1b[I", b"\x1b[O", b"\x1b[?1u", b"\x1b[0n"),
    *(b"\x1b[48;9999;9999;1;1t", b"\x1b[48;0;0;0;0t", b"\x1b[48;1;1;1;1t", b"\x1b[8;500;500t"),
    *(b"\x1b]11;rgb:0/0/0\x07", b"\x1b]52;c;c2g=\x07", b"\x1b]0;sh\x1b\\", b"\x1b]8;;file:///\x07"),
    *(b"\x1bP>|xterm\x1b\\", b"\x1bP1$r0m\x1b\\", b"\x1bPq#0~\x1b\\", b"\x1b_Gi=1;OK\x1b\\"),
    *(b"\x1b^x\x1b\\", b"\x9b1m", b"\x90q", b"\x1b[", b"\x1bO", b"\x1b]", b"\x1bP"),
)
NAMED = (b"\r", b"\t", b"\x1b[Z", b"\x7f", b"\x1b[A", b"\x1b[B", b"\x1b[C", b"\x1b[D", b"\x1b[5~",
         b"\x1b[6~", b"\x1b[H", b"\x1b[F", b"\x1bOP", b"\x1b[15~", b"\x1b[3~", b"\x1b[1;5C",
         b"\x1b[1;5D", b"\x1b[1;2A", b" ")  # fmt: skip
LEAVING = (0x03, 0x11)
"""Ctrl+C and Ctrl+Q end the program, as they should, and are tested separately."""
CONTROLS = tuple(bytes([code]) for code in range(32) if code not in LEAVING)


class HostileKeys:
    """A source of random bytes, one chunk after another."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._makers = (
            (30, self._letters),
            (25, lambda: self._random.choice(NAMED)),
            (10, lambda: self._random.choice(CONTROLS)),
            (8, lambda: self._random.choice(WORDS)),
            (10, lambda: self._random.choice(REPLIES)),
            (6, self._mouse),
            (6, self._sequence),
            (3, self._kitty),
            (8, self._paste),
            (
                4,
                lambda: self._random.randbytes(self._random.randint(1, 40)).translate(
                    None, b"\x03\x11"
                ),
            ),
        )

    def chunk(self) -> bytes:
        weights = [weight for weight, _ in self._makers]
        (maker,) = self._random.choices([make for _, make in self._makers], weights)
        return maker()

    def size(self) -> tuple[int, int]:
        """Return columns and lines of a window."""
        sizes = ((80, 24), (40, 12), (1, 1), (2, 200), (300, 3), (200, 60))
        return self._random.choice(sizes)

    def _letters(self) -> bytes:
        letters = "abcdefghijklmnoprstuvwxyzABCXYZ0123456789/?.,:;!<>|&$#@~'\"\\"
        return "".join(self._random.choices(letters, k=self._random.randint(1, 4))).encode()

    def _mouse(self) -> bytes:
        button, end = self._random.randint(0, 99), self._random.choice("Mm")
        x, y = self._random.randint(-1, 300), self._random.randint(-1, 300)
        if self._random.random() < 0.2:
            return b"\x1b[M" + self._random.randbytes(3).translate(None, b"\x03\x11")
        return f"\x1b[<{button};{x};{y}{end}".encode()

    def _sequence(self) -> bytes:
        """Return a control sequence that is undefined, or that terminals define differently."""
        numbers = ";".join(str(self._random.choice((0, 1, 27, 200, 201, 99999))) for _ in range(3))
        introducer = self._random.choice(("\x1b[", "\x1b[?", "\x1b[>", "\x1b[<", "\x1b[=", "\x9b"))
        return (introducer + numbers + self._random.choice("ABCcdhlmnpqrstuyz~@`{$ ")).encode()

    def _kitty(self) -> bytes:
        """Return a key in kitty's keyboard protocol, with random modifiers."""
        code = self._random.choice((97, 112, 122, 92, 27, 13, 57358, 1114112, 99999999))
        return f"\x1b[{code};{self._random.randint(1, 255)}u".encode()

    def _paste(self) -> bytes:
        kind = self._random.random()
        if kind < 0.2:
            inside = b"long " * self._random.choice((1_000, 20_000))
        elif kind < 0.6:
            inside = b"a\x1b\rq\x1b[A\x1b]52;c;eA==\x07\x1bPq\x1b\\" + self._random.choice(WORDS)
        else:
            inside = b"\n".join(self._random.choices(WORDS, k=5))
        begin = self._random.choice((START, START, START + START))
        return begin + inside + END
