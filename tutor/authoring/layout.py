"""Compute the number of lines that a lesson's Markdown takes on a screen, without a screen.

The rules are those of the app's style sheet: one blank line between blocks, none around them, code
indented by one column, tables without rules. The linter uses them to report when a screen no longer
fits a small terminal.
"""

from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from tutor.course.lesson import Lab, Screen
from tutor.course.prediction import ChoicePrediction, Prediction
from tutor.text import cells, wrapped

WIDTH = 76
HEIGHT = 18
"""The size that an 80x24 terminal leaves for the text and the lab of a lesson's screen."""

_CODE_INDENT = 2
_ITEM_INDENT = 3
_QUOTE_INDENT = 2
_COLUMN_GAP = 2
_CARD_EDGE = 2
_SENTENCE = 1
"""The line that shows the guess and the answer, in place of the field."""


def height(markdown: str, parser: MarkdownIt, width: int = WIDTH) -> int:
    """Return the lines that `markdown` takes at `width` columns, without a final blank line."""
    return _stacked(SyntaxTreeNode(parser.parse(markdown)).children, width)


def screen_height(screen: Screen, parser: MarkdownIt) -> int:
    """Return the lines that a screen takes; up to `HEIGHT` need no scrolling."""
    heights = [height(screen.body, parser)] if screen.body else []
    if screen.prediction is not None:
        heights.append(prediction_height(screen.prediction))
    if screen.lab is not None:
        heights.append(lab_height(screen.lab))
    return sum(heights) + max(0, len(heights) - 1)


def prediction_height(prediction: Prediction) -> int:
    """Return the lines of a prediction's card once the answer is revealed."""
    width = WIDTH - _CARD_EDGE
    lines = [f"Predict  {prediction.ask}", prediction.reveal]
    if isinstance(prediction, ChoicePrediction):
        lines += [f"1  {choice}" for choice in prediction.choices]
    return sum(wrapped(line, width) for line in lines) + _SENTENCE


def lab_height(lab: Lab) -> int:
    """Return the lines of a lab's card: its task, its goals, and the line that names the key."""
    return wrapped(f"Lab  {lab.task}", WIDTH - _CARD_EDGE) + len(lab.goals) + 1


def too_wide(markdown: str, parser: MarkdownIt) -> Iterator[str]:
    """Yield the lines of code and the rows of tables that are wider than the screen.

    These are the two things that do not wrap well.
    """
    for node in SyntaxTreeNode(parser.parse(markdown)).walk():
        if node.type in ("fence", "code_block"):
            for line in node.content.split("\n"):
                if cells(line) > WIDTH - _CODE_INDENT:
                    yield line
        elif node.type == "table":
            rows = _rows(node)
            widest = [max(cells(cell) for cell in column) for column in zip(*rows, strict=True)]
            if sum(widest) + _COLUMN_GAP * len(widest) > WIDTH:
                yield " | ".join(rows[0])


def _stacked(nodes: list[SyntaxTreeNode], width: int) -> int:
    return sum(_block(node, width) for node in nodes) + max(0, len(nodes) - 1)


def _block(node: SyntaxTreeNode, width: int) -> int:
    width = max(width, 8)  # deep nesting may leave no width
    match node.type:
        case "fence" | "code_block":
            return max(1, node.content.rstrip("\n").count("\n") + 1)
        case "table":
            return len(_rows(node))
        case "bullet_list" | "ordered_list":
            return sum(_item(item, width - _ITEM_INDENT) for item in node.children)
        case "blockquote":
            return _stacked(node.children, width - _QUOTE_INDENT)
        case "hr":
            return 1
        case _:
            return wrapped(_text(node), width)


def _item(item: SyntaxTreeNode, width: int) -> int:
    """Return the lines of a list item; its blocks follow each other without blank lines."""
    return max(1, sum(_block(node, width) for node in item.children))


def _rows(table: SyntaxTreeNode) -> list[list[str]]:
    return [[_text(cell) for cell in row.children] for row in table.walk() if row.type == "tr"]


def _text(node: SyntaxTreeNode) -> str:
    """Return the displayed text of a paragraph, heading or cell, without markup."""
    parts = []
    for each in node.walk():
        if each.type in ("text", "code_inline"):
            parts.append(each.content)
        elif each.type == "softbreak":
            parts.append(" ")
        elif each.type == "hardbreak":
            parts.append("\n")
    return "".join(parts)
