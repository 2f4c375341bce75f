"""Save and restore the texts that a learner has written in a lab's fields but not submitted.

They are saved in the same file as the learner's work. The file is not trusted: texts that no field
would accept are ignored, and control characters become visible symbols.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from tutor.labs.kit.work import decoded, encoded_fields, fields_in, is_invalid
from tutor.text import writable

Drafts = dict[str, tuple[str, ...]]
"""For each label of a field, the texts that the learner has written but not submitted.

The last one is the text that the field shows. The others are among its earlier texts.
"""

KEY = "texts not submitted"
"""The key of the drafts in the file. No state has a field with this name, and older versions of
tutor ignore it."""
SERVER = "Model name and server address:"
"""The label of the field in which the learner adds a remote model. Its drafts are not saved,
because an address can contain a password, and remote models are not saved either."""
LONGEST = 32_000
"""The maximum length of a draft in characters, which is also the maximum of a text field."""
_LONGEST_LABEL = 1_000
_MOST_FIELDS = 100
_MOST_TEXTS = 100
"""The maximum number of drafts of a field. Only the newest ones are saved."""


def added(work: bytes, drafts: Drafts) -> bytes:
    """Return the encoded `work` with the drafts added."""
    kept = _valid(drafts)
    return encoded_fields(fields_in(work) | {KEY: kept}) if kept else work


def restored(data: bytes) -> Drafts:
    """Return the drafts saved in `data`, which may be damaged."""
    found = decoded(fields_in(data).get(KEY, msgspec.Raw()), dict[str, msgspec.Raw])
    if is_invalid(found):
        return {}
    drafts = {label: decoded(texts, list[str]) for label, texts in found.items()}
    return _valid({label: texts for label, texts in drafts.items() if not is_invalid(texts)})


def _valid(drafts: Mapping[str, Sequence[str]]) -> Drafts:
    """Return the drafts that can be saved or restored, without the fields that have none."""
    valid: Drafts = {}
    for label, texts in drafts.items():
        newest = (writable(text) for text in texts[-_MOST_TEXTS:] if len(text) <= LONGEST)
        kept = tuple(text for text in newest if len(text) <= LONGEST)
        if kept and label != SERVER and len(label) <= _LONGEST_LABEL:
            valid[label] = kept
    return dict(list(valid.items())[-_MOST_FIELDS:])
