"""What stands between one `##` heading of a lesson file and the next, while the file is read."""

from tutor.course.lesson import Lab, Quoted
from tutor.course.measured import Measured
from tutor.course.questions.question import Question
from tutor.course.reading.place import Place


class Section:
    """A screen, or questions without one. `text` holds the lines that are left when blocks are
    taken out."""

    def __init__(self, place: Place, screen_id: str, title: str) -> None:
        self.place = place
        self.id = screen_id
        self.title = title
        self.text: list[str] = []
        self.labs: list[Lab] = []
        self.questions: list[Question] = []
        self.numbers: list[tuple[Quoted, ...]] = []
        self.measured: list[Measured] = []

    def end_paragraph(self) -> None:
        """Drops blank lines at the end: a block that is taken out leaves no gap."""
        while self.text and not self.text[-1].strip():
            self.text.pop()

    @property
    def is_screen(self) -> bool:
        """A section with nothing but questions is no screen."""
        return bool(self.labs) or bool(self.body) or not self.questions

    @property
    def body(self) -> str:
        return "\n".join(self.text).strip("\n")
