"""Save and restore the texts that a learner has written in a lab's fields but not submitted.

They are saved in the same file as the learner's work. The file is not trusted: texts that no field
would accept are ignored, and control characters become visible symbols.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from tutor.labs.kit.work import LARGEST, decoded, encoded_fields, fields_in, is_invalid
from tutor.language import is_translation
from tutor.text import writable

Drafts = dict[str, tuple[str, ...]]
"""For each field, by its name, the texts that the learner has written but not submitted.

The last one is the text that the field shows. The others are among its earlier texts.
"""

KEY = "texts not submitted"
"""The key of the drafts in the file. No state has a field with this name, and older versions of
tutor ignore it."""
SERVER = "server"
"""The name of the field in which the learner adds a remote model. Its drafts are not saved,
because an address can contain a password, and remote models are not saved either."""
LONGEST = 32_000
"""The maximum length of a draft in characters, which is also the maximum of a text field."""
_LONGEST_NAME = 1_000
_MOST_FIELDS = 100
_MOST_TEXTS = 100
"""The maximum number of drafts of a field. Only the newest ones are saved."""
_LARGEST = LARGEST // 2
"""The maximum size of all saved drafts of a lab, in bytes. The rest of the file is for the work."""


def added(work: bytes, drafts: Drafts) -> bytes:
    """Return the encoded `work` with the drafts added, as far as they fit beside it."""
    kept = _fitting(_valid(drafts), min(_LARGEST, LARGEST - len(work)))
    return encoded_fields(fields_in(work) | {KEY: kept}) if kept else work


def restored(data: bytes) -> Drafts:
    """Return the drafts saved in `data`, which may be damaged."""
    found = decoded(fields_in(data).get(KEY, msgspec.Raw()), dict[str, msgspec.Raw])
    if is_invalid(found):
        return {}
    drafts = {name: decoded(texts, list[str]) for name, texts in found.items()}
    return _valid({name: texts for name, texts in drafts.items() if not is_invalid(texts)})


def are_saved(drafts: Drafts, data: bytes) -> bool:
    """Return True if `data` contains all drafts, except those that are never saved."""
    saved = restored(data)
    return all(
        set(map(writable, texts)) <= set(saved.get(name, ()))
        for name, texts in drafts.items()
        if name != SERVER
    )


def move(drafts: Drafts, label: str, name: str) -> None:
    """Move the drafts that are stored under a field's label to the field's name.

    Earlier versions of tutor stored drafts under the label, in the language of the interface.
    """
    for earlier in [each for each in drafts if each != name]:
        if earlier == label or is_translation(earlier, label):
            drafts[name] = (*drafts.pop(earlier), *drafts.get(name, ()))


def joined(before: Drafts, after: Drafts) -> Drafts:
    """Return all drafts, from the oldest to the newest. If a field has both, it shows the later."""
    names = (*(name for name in before if name not in after), *after)
    return {name: (*before.get(name, ()), *after.get(name, ())) for name in names}


def _valid(drafts: Mapping[str, Sequence[str]]) -> Drafts:
    """Return the drafts that can be saved or restored, without the fields that have none."""
    valid: Drafts = {}
    for name, texts in drafts.items():
        newest = (writable(text) for text in texts[-_MOST_TEXTS:] if len(text) <= LONGEST)
        kept = tuple(text for text in newest if len(text) <= LONGEST)
        if kept and name != SERVER and len(name) <= _LONGEST_NAME:
            valid[name] = kept
    return dict(list(valid.items())[-_MOST_FIELDS:])


def _fitting(drafts: Drafts, room: int) -> Drafts:
    """Return the drafts that fit in `room` bytes.

    The texts that the fields show come first, and then the others, from the newest to the oldest.
    """
    if len(encoded_fields({KEY: drafts})) <= room:
        return drafts
    room -= sum(len(encoded_fields({name: ()})) for name in drafts) + len(encoded_fields({KEY: {}}))
    fitting: dict[str, list[str]] = {name: [] for name in drafts}
    for back in range(_MOST_TEXTS):
        for name, texts in reversed(drafts.items()):
            if back >= len(texts) or len(fitting[name]) < back:
                continue  # an older text must not take the place of one that does not fit
            text = texts[-1 - back]
            size = len(msgspec.json.encode(text)) + 1
            if size <= room:
                fitting[name].insert(0, text)
                room -= size
    return {name: tuple(texts) for name, texts in fitting.items() if texts}
