"""Compute how many lines a lesson's Markdown takes on a screen, without drawing it.

The rules follow the app's style sheet: one blank line between blocks but none around them, code
indented by one column, and tables without lines between the rows. The linter uses the result to
warn about screens that don't fit on a small terminal.
"""

from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from tutor.course.lesson import Lab, Screen
from tutor.course.prediction import (
    ChoicePrediction,
    NumberPrediction,
    Prediction,
    WordsPrediction,
)
from tutor.text import cells, wrapped

WIDTH = 76
HEIGHT = 18
"""The width and height, in an 80x24 terminal, of the area for a screen's text and lab."""

_CODE_INDENT = 2
_ITEM_INDENT = 3
_QUOTE_INDENT = 2
_COLUMN_GAP = 2
_CARD_EDGE = 2
_SENTENCE = 1
"""The number of lines that show the guess and the answer of a prediction.

They replace the input field. A prediction that continues a text needs another line.
"""


def height(markdown: str, parser: MarkdownIt, width: int = WIDTH) -> int:
    """Return the number of lines of `markdown` at a width of `width` columns."""
    return _stacked(SyntaxTreeNode(parser.parse(markdown)).children, width)


def screen_height(screen: Screen, parser: MarkdownIt) -> int:
    """Return the number of lines of a screen: its text, its prediction and its lab."""
    heights = [height(screen.body, parser)] if screen.body else []
    if screen.prediction is not None:
        heights.append(prediction_height(screen.prediction, parser))
    if screen.lab is not None:
        heights.append(lab_height(screen.lab))
    return sum(heights) + max(0, len(heights) - 1)


def prediction_height(prediction: Prediction, parser: MarkdownIt) -> int:
    """Return the number of lines of a prediction after the screen has revealed the answer."""
    width = WIDTH - _CARD_EDGE
    lines = [f"Predict  {prediction.ask}", prediction.reveal]
    match prediction:
        case ChoicePrediction():
            lines += [f"✓ a  {choice}" for choice in prediction.choices]
        case NumberPrediction() if prediction.unit:
            lines[0] += f" (in {prediction.unit})"
    continuation = isinstance(prediction, WordsPrediction) and prediction.live is not None
    shown = (_text(SyntaxTreeNode(parser.parse(line))) for line in lines)
    return sum(wrapped(line, width) for line in shown) + _SENTENCE + continuation


def lab_height(lab: Lab) -> int:
    """Return the height of a lab's card: its task, its goals, and the line with its key."""
    return wrapped(f"Lab  {lab.task}", WIDTH - _CARD_EDGE) + len(lab.goals) + 1


def too_wide(markdown: str, parser: MarkdownIt) -> Iterator[str]:
    """Yield the lines of code and the table rows that are wider than the screen.

    All other text can be wrapped.
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
    width = max(width, 8)  # Deep nesting may leave no columns for the text.
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
    """Return the height of a list item, whose blocks have no blank lines between them."""
    return max(1, sum(_block(node, width) for node in item.children))


def _rows(table: SyntaxTreeNode) -> list[list[str]]:
    return [[_text(cell) for cell in row.children] for row in table.walk() if row.type == "tr"]


def _text(node: SyntaxTreeNode) -> str:
    """Return the displayed text of a paragraph, heading or table cell, without markup."""
    parts = []
    for each in node.walk():
        if each.type in ("text", "code_inline"):
            parts.append(each.content)
        elif each.type == "softbreak":
            parts.append(" ")
        elif each.type == "hardbreak":
            parts.append("\n")
    return "".join(parts)
