"""The page field that holds HR's custom questions."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.functional import cached_property
from wagtail.blocks import StreamBlock
from wagtail.fields import StreamField

from careers.forms.types import choosable


class QuestionsField(StreamField):
    """A StreamField with one block for each type of question that HR may add.

    It collects the types on first use, when the types of every installed app are known.
    Migrations name this class and not its blocks. So a new type or label needs no migration,
    and a data migration that saves a page keeps the questions of every type.
    """

    def __init__(self, *_args: Any, **kwargs: Any) -> None:
        super().__init__([], **kwargs)

    @cached_property
    def stream_block(self) -> StreamBlock:
        block = StreamBlock(choosable())
        block.set_meta_options(self.block_opts)
        return block

    def deconstruct(self) -> Any:
        name, path, _args, kwargs = models.Field.deconstruct(self)
        return name, path, [], kwargs
