"""Create a skeleton lesson with an example of each part, which can be opened and linted."""

import re
from pathlib import Path

from tutor.course.catalogue import load_course
from tutor.course.folder import lesson_files
from tutor.errors import UsageError
from tutor.text import safe

_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_NUMBER = re.compile(r"\d+")
_LONGEST_ID = 40  # the ids of screens, labs and questions extend it

_TEXT = """\
---
id: {id}
number: {number}
version: 1
title: {title}
summary: >-
  One or two sentences for the course map.
needs: []
learned:
  - Say in one sentence what readers can now explain.
  - Then say it of the next idea, in two to four sentences altogether.
---

## What comes next {{#{id}-question}}

Begin with a question that readers can have an opinion about.

```text
  Once upon a ──► [ the model ] ──► ?
```

```predict
id: {id}-guess
type: number
ask: How probable is `␣time` after “Once upon a”?
low: 0
high: 100
unit: "%"
live:
  value: probability
  prompt: Once upon a
  token: ␣time
reveal: Say what the reader can conclude from the answer.
```

## Try it {{#{id}-try}}

Let readers find out, and explain afterward what happened. SmolLM2-135M-Instruct
gives `␣time` 14.3 % here.

```numbers
- says: 14.3 %
  prompt: Once upon a
  token: ␣time
  value: probability
```

```lab
id: {id}-lab
kind: stepper
task: >-
  Take ␣time (1), and see how sure the model is of the next token.
prompt: Once upon a
goals:
  - goal: top-above
    probability: 0.8
solution:
  - take: ␣time
done: >-
  Explain what readers have just seen.
```

## What to keep {{#{id}-remember}}

- One idea, in one sentence.

```question
id: {id}-sure
version: 1
type: single
ask: What decides how sure a model is of the next token?
hint: Helps to think without giving away the answer.
why: Appears after every answer.
screen: {id}-try
choices:
  - text: The text before it
    why: Explain why this is right.
    right: true
  - text: The length of the word
    why: Explain why this is wrong. Use a mistake that people really make.
```
"""


def new_lesson(lesson_id: str, folder: Path) -> Path:
    """Create a skeleton lesson in `folder` with the next free number, and return its file.

    Raises `UsageError` if the id is invalid or already used, and `LessonError` if the folder cannot
    be read.
    """
    if not _ID.fullmatch(lesson_id) or len(lesson_id) > _LONGEST_ID:
        raise UsageError(
            f"{lesson_id!r} is not a valid lesson id.",
            f"Use up to {_LONGEST_ID} lowercase letters and digits, joined by single hyphens.",
        )
    course = load_course(folder)
    if course.outline(lesson_id) is not None:
        raise UsageError(f"The lesson {lesson_id!r} already exists.", "Choose another id.")
    numbers = [outline.number for outline in course.outlines]
    begins = [_NUMBER.match(file.name) for file in lesson_files(folder)]
    numbers += [int(found[0]) for found in begins if found]
    number = max(numbers, default=0) + 1
    file = folder / f"{number:02}-{lesson_id}.md"
    title = lesson_id.replace("-", " ").capitalize()
    text = _TEXT.format(id=lesson_id, number=number, title=title)
    try:
        with file.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        raise UsageError(
            f"{safe(str(file))} cannot be written ({error.strerror}).", "Choose another folder."
        ) from error
    return file
