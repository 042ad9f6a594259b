"""Text that HR types into blocks is cleaned, and what is required shows something."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from wagtail import blocks

from careers.forms.blocks import OptionsBlock
from careers.forms.types import choosable
from home.blocks import BodyBlock
from home.text_blocks import DescribedImageBlock, FormattedBlock, LineBlock, LinesBlock

#: Text of which nobody sees anything.
INVISIBLE = [
    "\u200b",
    "\u3164\u2800",
    "\ufeff",
    "\u202e\u200f",
    "\u00a0 \t",
    "\u0301",
    "\U000e0041",
]


def children(block: Any) -> Iterator[Any]:
    """A block with all blocks inside it."""
    yield block
    if isinstance(block, DescribedImageBlock):
        return  # its description is cleaned with the picture
    for child in getattr(block, "child_blocks", {}).values():
        yield from children(child)
    if hasattr(block, "child_block"):
        yield from children(block.child_block)


@pytest.mark.parametrize(
    "block",
    [BodyBlock(), OptionsBlock(), *(block for _name, block in choosable())],
    ids=lambda block: type(block).__name__,
)
def test_every_text_of_a_block_is_cleaned(block: Any) -> None:
    texts = (blocks.CharBlock, blocks.TextBlock, blocks.RichTextBlock)
    found = [one for one in children(block) if isinstance(one, texts)]
    assert [
        one for one in found if not isinstance(one, LineBlock | LinesBlock | FormattedBlock)
    ] == []


@pytest.mark.parametrize("text", INVISIBLE)
@pytest.mark.parametrize("block", [LineBlock(), LinesBlock(), FormattedBlock()])
def test_required_text_needs_something_visible(block: Any, text: str) -> None:
    typed = f"<p>{text}</p>" if isinstance(block, FormattedBlock) else text
    with pytest.raises(ValidationError, match="This field is required"):
        block.clean(block.to_python(typed))


@pytest.mark.parametrize("text", INVISIBLE)
def test_optional_text_of_nothing_visible_is_empty(text: str) -> None:
    assert LineBlock(required=False).clean(text) == ""
    assert LinesBlock(required=False).clean(text) == ""
    block = FormattedBlock(required=False)
    assert block.clean(block.to_python(f"<p>{text}</p>"))


@pytest.mark.parametrize(
    ("block", "typed", "stored"),
    [
        (LineBlock(), " Sal\u200bary\u202e ", "Salary"),
        (LineBlock(max_length=6), "Sal\u200bary\u202e", "Salary"),
        (LineBlock(), "A" + "\u0317" * 99, "A" + "\u0317" * 8),
        (LinesBlock(), "One\r\n\x07Two\u200b", "One\nTwo"),
    ],
)
def test_text_of_a_block_is_stored_clean(block: Any, typed: str, stored: str) -> None:
    assert block.clean(typed) == stored


@pytest.mark.parametrize("text", INVISIBLE)
def test_picture_needs_a_description_that_people_see(text: str) -> None:
    block = DescribedImageBlock(required=False)
    picture = SimpleNamespace(contextual_alt_text=text, decorative=False)
    block.child_blocks["image"].clean = lambda value: value
    with pytest.raises(ValidationError) as caught:
        block.clean(picture)
    assert list(caught.value.block_errors) == ["alt_text"]


def test_formatted_text_may_be_a_picture() -> None:
    block = FormattedBlock()
    value = block.to_python('<embed embedtype="image" id="1" format="left"/>')
    assert block.clean(value).source == value.source


@pytest.mark.parametrize("kind", [name for name, _block in choosable()])
def test_question_with_an_invisible_label_is_refused(kind: str) -> None:
    block = dict(choosable())[kind]
    value = block.to_python({"label": "\u200b\u3164", "options": ["Early\u200b", "\u2800"]})
    with pytest.raises(ValidationError) as caught:
        block.clean(value)
    assert "label" in caught.value.block_errors
    if "options" in block.child_blocks:
        assert "options" in caught.value.block_errors
