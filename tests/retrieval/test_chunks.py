"""Test that texts are split only in allowed places, and that no text is lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tutor.retrieval.chunks import LONGEST_HEADING, LONGEST_WORD, OVERLAP, WORDS, chunks

TEXT = """\
Before any heading.

# Birds {#birds}

A wren is small.

A heron is tall.

## In winter

They go.

```python
# no heading

print(1)
```
"""


def words(count: int, name: str = "w") -> str:
    return " ".join(f"{name}{number}" for number in range(count))


def test_a_text_is_split_at_headings_with_their_ids_and_lines() -> None:
    found = list(chunks(TEXT, "birds.md"))
    assert [(each.heading, each.anchor, each.line) for each in found] == [
        ("birds.md", "", 1),
        ("Birds", "birds", 5),
        ("In winter", "", 11),
    ]
    assert found[1].text == "A wren is small.\n\nA heron is tall."
    assert "# no heading\n\nprint(1)" in found[2].text
    assert found[1].id == "birds.md#birds"
    assert found[2].id == "birds.md"


def test_paragraphs_fill_a_passage_and_a_short_last_one_is_repeated() -> None:
    long, short = words(WORDS - 20, "a"), words(15, "b")
    found = list(chunks(f"{long}\n\n{short}\n\n{words(40, 'c')}", "x"))
    assert [each.text for each in found] == [f"{long}\n\n{short}", f"{short}\n\n{words(40, 'c')}"]
    assert [each.line for each in found] == [1, 3]


def test_a_long_paragraph_is_split_between_words_with_an_overlap() -> None:
    found = list(chunks(words(300), "x"))
    pieces = [each.text.split() for each in found]
    assert [len(piece) for piece in pieces] == [120, 120, 120]
    assert pieces[0][-OVERLAP:] == pieces[1][:OVERLAP]
    assert dict.fromkeys(word for piece in pieces for word in piece) == dict.fromkeys(
        words(300).split()
    )


def test_a_very_long_word_is_split() -> None:
    found = list(chunks("x" * 100_000, "x"))
    assert max(len(each.text) for each in found) <= (LONGEST_WORD + 1) * WORDS
    (heading,) = {each.heading for each in chunks(f"# {'y' * 5000}\n\nz", "x")}
    assert len(heading) <= LONGEST_HEADING


def test_hostile_lines_are_fast() -> None:
    assert list(chunks("# " + " " * 200_000 + "x", "x")) == []
    assert list(chunks("```\n" * 50_000, "x"))


@given(st.text(alphabet=st.sampled_from("ab #\n`{}-x\t\u00e9"), max_size=400))
def test_every_word_of_any_text_is_in_a_passage_or_a_heading(text: str) -> None:
    found = list(chunks(text, "source"))
    said = {word for each in found for word in f"{each.text} {each.heading}".split()}
    headings = {
        word
        for line in text.split("\n")
        if line.lstrip(" ").startswith("#")
        for word in line.split()
    }
    for word in text.split():
        assert word in said or word in headings
    for each in found:
        assert each.text.strip()
        assert 1 <= each.line <= text.count("\n") + 1
