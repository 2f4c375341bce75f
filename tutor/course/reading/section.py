"""Define sections, the parts of a lesson file from one `##` heading to the next.

The parser fills them while it reads the file.
"""

from tutor.course.lesson import Lab
from tutor.course.measured import Measured
from tutor.course.model_value import Quoted
from tutor.course.prediction import Prediction
from tutor.course.questions.question import Question
from tutor.course.reading.place import Place


class Section:
    """A section with a screen, or with only questions.

    `text` contains the lines that are not part of a block.
    """

    def __init__(self, place: Place, screen_id: str, title: str) -> None:
        self.place = place
        self.id = screen_id
        self.title = title
        self.text: list[str] = []
        self.predictions: list[Prediction] = []
        self.labs: list[Lab] = []
        self.questions: list[Question] = []
        self.numbers: list[tuple[Quoted, ...]] = []
        self.measured: list[Measured] = []

    def end_paragraph(self) -> None:
        """Remove blank lines at the end of the text, so that a removed block leaves no gap."""
        while self.text and not self.text[-1].strip():
            self.text.pop()

    @property
    def is_screen(self) -> bool:
        """True if the section has a screen, and False if it contains only questions."""
        return bool(self.labs or self.predictions) or bool(self.body) or not self.questions

    @property
    def body(self) -> str:
        return "\n".join(self.text).strip("\n")
