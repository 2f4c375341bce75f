"""List plausible mistakes in critical code, for `tools.mutants`.

`tools.mutants` makes each of them in a copy of the tree, and the tests should catch it.
"""

from __future__ import annotations

from typing import NamedTuple


class Mutation(NamedTuple):
    """One mistake: code that occurs once in a file, its replacement, and the tests to run."""

    file: str
    original: str
    mutated: str
    tests: tuple[str, ...]


def _in(file: str, tests: str, *changes: tuple[str, str]) -> tuple[Mutation, ...]:
    return tuple(Mutation(file, *change, tuple(tests.split())) for change in changes)


MUTATIONS = (
    *_in(
        "tutor/learner/storage.py",
        "tests/learner/test_tampered.py tests/learner/test_damage.py"
        " tests/learner/test_migration.py tests/learner/test_write_order.py"
        " tests/learner/test_progress.py",
        ('return f"{zlib.crc32(rest, version):08x}"', 'return f"{zlib.crc32(rest):08x}"'),
        ("if about.schema > self.schema.version and not whole:", "if not whole:"),
        ("edited=not whole)", "edited=whole)"),
        ("if before.damaged:", "if not before.damaged:"),
        ("if before.schema != self.schema.version:", "if False:"),
        ("disk.keep_copy(self.path, self.backup)", "pass"),
        ("sound = self._sound(self.backup)", "sound = self._sound(self.path)"),
        ("return msgspec.structs.replace(sound, problem=problem, damaged=damaged)", "return sound"),
        ("with locked(self._lock, self._timeout):", "with contextlib.nullcontext():"),
    ),
    *_in(
        "tutor/learner/disk.py",
        "tests/learner/test_write_order.py",
        ("    move(new, path)\n    private.sync_folder(path.parent)\n", "    move(new, path)\n"),
    ),
    *_in(
        "tutor/learner/log_lines.py",
        "tests/learner/test_review_log.py",
        ("bit_count() == 1:", "bit_count() == 2:"),
        ("if not 0 < distance <= len(body):", "if not 0 < distance < len(body):"),
        ("made[-1 - distance] ^= 1 << bit", "made[-1 - distance] ^= 2 << bit"),
    ),
    *_in(
        "tutor/learner/mending.py",
        "tests/learner/test_log_copy.py tests/learner/test_mending_property.py",
        ("if before <= card.last_at <= after]", "if card.last_at <= after]"),
        ("missing if only_here else ())\n            #", "missing)\n            #"),
        ("if safe(card.question) not in named]", "]"),
    ),
    *_in(
        "tutor/learner/review_log.py",
        "tests/learner/test_review_log.py tests/learner/test_log_copy.py"
        " tests/learner/test_write_order.py tests/learner/test_damage.py"
        " tests/learner/test_disk_trouble.py",
        ("UNFINISHED + lines if torn else lines", "lines"),
        ("            disk.cut(self.path, before)\n", ""),
        ("return copied > disk.size(self.path)", "return copied >= disk.size(self.path)"),
        ("if not line.sound and not self._copied_so(line):", "if not line.sound:"),
        ("        if end is None or start < end:\n", "        if end is None:\n"),
        ("return same and line.end == mark.end", "return line.end == mark.end"),
        ("if found.copy in (DAMAGED, OTHER):", "if found.copy == DAMAGED:"),
        ("            start += len(chunk)\n", "            start += 2 * len(chunk)\n"),
        ("return CUT_OFF if whole.startswith(data) else DAMAGED", "return DAMAGED"),
    ),
    *_in(
        "tutor/learner/replay.py",
        "tests/learner/test_replay.py tests/learner/test_snapshot.py tests/learner/test_exchange.py"
        " tests/learner/test_migration.py tests/learner/test_progress.py"
        " tests/learner/test_damage.py tests/learner/test_review_log.py",
        ("        damaged = damaged or line.damaged\n", ""),
        ("            imported -= 1\n", "            imported = 0\n"),
        ("fold(state, events if mark.partial else own)", "fold(state, events)"),
        ("if log.contains(state.mark):", "if True:"),
        ("elif state.stale and not mark.partial:", "elif False:"),
        ("read=known.read or made.read", "read=made.read"),
        ("visited_at=max(known.visited_at, made.visited_at)", "visited_at=known.visited_at"),
        (
            "undo = Undo() if state.undo.question in state.stale else state.undo",
            "undo = state.undo",
        ),
    ),
    *_in(
        "tutor/learner/state.py",
        "tests/learner/test_state.py tests/learner/test_progress.py tests/learner/test_review.py",
        ("key=lambda event: (event.at, event.id))", "key=lambda event: event.id)"),
        ("if key not in undone", ""),
        ("if name in self.forgotten and event.at <= self.forgotten[name]:", "if False:"),
        (
            "(event.at, event.id) < (card.last_at, card.last_answer)",
            "event.at < card.last_at",
        ),
        ("if event.answer and event.answer == self.undo.answer and", "if event.answer and"),
        ("if card.last_at <= event.at:", "if card.last_at < event.at:"),
        (
            "if card is not None and event.version < card.version:",
            "if card is not None and event.version > card.version:",
        ),
        ("(known.correct if known else 0) + event.correct", "(known.correct if known else 0) + 1"),
        ("max(new, self.suspensions.get(name, new))", "new"),
        ("round(bits * _BIT_PARTS) / _BIT_PARTS", "bits"),
        ("        read=known.read,\n", "        read=lesson.read,\n"),
    ),
    *_in(
        "tutor/learner/schedule.py",
        "tests/learner/test_review.py tests/learner/test_state.py",
        ("or answer.attempt > 1", ""),
        ("return Grade.HARD if helped else Grade.GOOD", "return Grade.GOOD"),
        ("learning_steps=(), ", ""),
        ("enable_fuzzing=False, ", ""),
        ("last_review=_time(card.last_at)", "last_review=_time(card.due)"),
    ),
    *_in(
        "tutor/course/questions/several.py",
        "tests/course/test_grading.py",
        ("if not missed and not wrong:", "if not missed:"),
    ),
    *_in(
        "tutor/course/questions/number.py",
        "tests/course/test_grading.py",
        ("1e-9 * max(1.0, abs(self.answer))", "0"),
        ("low = numbers[0] < self.answer", "low = numbers[0] > self.answer"),
    ),
    *_in(
        "tutor/course/questions/order.py",
        "tests/course/test_grading.py",
        ("at_home = [answer[place] == place", "at_home = [answer[place] >= place"),
    ),
    *_in(
        "tutor/course/questions/next_token.py",
        "tests/course/test_grading.py",
        ("correct = answer <= self.within", "correct = answer < self.within"),
    ),
    *_in(
        "tutor/course/questions/compare.py",
        "tests/course/test_grading.py",
        ("chosen >= other,", "chosen > other,"),
    ),
    *_in(
        "tutor/course/questions/choices.py",
        "tests/course/test_grading.py",
        ("not all(0 <= place < len", "not all(place < len"),
    ),
    *_in(
        "tutor/lm/sampling.py",
        "tests/lm/test_sampling.py",
        (
            "least = math.log(settings.min_p) * settings.temperature",
            "least = math.log(settings.min_p)",
        ),
        ("(logits[:id_] == logits[id_]).sum()", "(logits[id_:] == logits[id_]).sum()"),
        (
            "near = torch.nonzero(maxima >= least).flatten()",
            "near = torch.nonzero(maxima > least).flatten()",
        ),
        ("1 + int((reached < p).sum())", "1 + int((reached <= p).sum())"),
        ("if rank > counts.top_k:", "if rank >= counts.top_k:"),
        (
            "scaled = (logits - logits.max()).double() / temperature",
            "scaled = logits / temperature",
        ),
    ),
    *_in(
        "tutor/lm/draw.py",
        "tests/lm/test_draw.py",
        ("return -np.log(uniform)", "return -np.log1p(-uniform)"),
        ('f"{seed}:{position}"', 'f"{seed + position}"'),
        ("np.argmax(probabilities / luck", "np.argmax(probabilities * luck"),
        ("z ^ (z >> np.uint64(27))", "z ^ (z >> np.uint64(28))"),
    ),
    *_in(
        "tutor/lm/session.py",
        "tests/lm/test_session.py",
        ("self._valid = min(self._valid, length)", "pass"),
        ("self._valid = min(self._valid, shared)", "pass"),
        ("            self.append(before)\n", ""),
        ("        other._processed = self._processed[:shared]\n", ""),
        ("        self._cache.truncate(self._valid)\n", ""),
        ("[self._final[i - 1] for i in positions]", "[self._final[i] for i in positions]"),
        ("range(max(1, start), end)", "range(max(0, start), end)"),
    ),
    *_in(
        "tutor/lm/local_session.py",
        "tests/lm/test_session.py",
        (
            "if len(self) + len(added) > self._longest:",
            "if len(self) + len(added) >= self._longest:",
        ),
        ("texts[id_] in same", "texts[id_] == query"),
    ),
    *_in(
        "tutor/engine/shared/scheduler.py",
        "tests/engine/shared/test_scheduler.py",
        ("slot.virtual_time = self._virtual_time\n", "slot.virtual_time = 0.0\n"),
        ("max(slot.virtual_time, self._virtual_time - AHEAD)", "self._virtual_time - AHEAD"),
        ("slot.virtual_time += seconds / len(sharing)", "slot.virtual_time += seconds"),
        ("key=lambda slot: (slot.virtual_time, slot.used)", "key=lambda slot: slot.used"),
    ),
    *_in(
        "tutor/engine/sessions.py",
        "tests/engine/test_server.py",
        ("list(self._sessions)[:-1]", "list(self._sessions)"),
        ("            if total <= self._limit:\n", "            if total < self._limit:\n"),
        ("            self._budget.forget(session)\n", "            pass\n"),
        ("name not in self._sessions and len(self) >= self._most", "len(self) >= self._most"),
        ("min(self._most, total + available - RESERVED)", "total + available - RESERVED"),
        ("self._sessions.move_to_end(session)", "pass"),
    ),
)
