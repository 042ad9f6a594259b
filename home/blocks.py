"""The content blocks of the home page, plain pages and job pages."""

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from wagtail import blocks
from wagtail.blocks.struct_block import StructBlockValidationError

from home.text_blocks import (
    DescribedImageBlock,
    FormattedBlock,
    LineBlock,
    LinesBlock,
    WebAddressBlock,
)

#: What a paragraph may hold. Headings are separate blocks, so that their levels stay correct.
TEXT_FEATURES = ["bold", "italic", "ol", "ul", "link", "document-link"]


class FactBlock(blocks.StructBlock):
    """One fact or benefit: a few words, and a sentence that explains them."""

    title = LineBlock(label=_("In a few words"), max_length=80)
    text = LinesBlock(label=_("Explanation"), required=False, max_length=400, rows=2)

    class Meta:
        icon = "tick"
        label = _("Fact")


class FactsBlock(blocks.StructBlock):
    """A list of facts or benefits, with a heading if it needs one."""

    title = LineBlock(label=_("Heading"), required=False, max_length=120)
    items = blocks.ListBlock(FactBlock(), label=_("Facts"), min_num=1, max_num=24)

    class Meta:
        icon = "list-ul"
        label = _("Facts or benefits")
        template = "home/blocks/facts.html"


class QuoteBlock(blocks.StructBlock):
    """A quotation and its author."""

    text = LinesBlock(label=_("Words"), max_length=600, rows=3)
    name = LineBlock(label=_("Who says it"), max_length=120)
    role = LineBlock(label=_("What they do here"), required=False, max_length=160)

    class Meta:
        icon = "openquote"
        label = _("Quote")
        template = "home/blocks/quote.html"


class PictureBlock(blocks.StructBlock):
    """A picture with its description and an optional caption."""

    image = DescribedImageBlock(label=_("Picture"))
    caption = LineBlock(label=_("Caption"), required=False, max_length=240)

    class Meta:
        icon = "image"
        label = _("Picture")
        template = "home/blocks/picture.html"


class CallToActionValue(blocks.StructValue):
    """A call to action with the address of its link."""

    @property
    def href(self) -> str:
        page = self.get("page")
        return (page.url if page else "") or self.get("address") or ""


class CallToActionBlock(blocks.StructBlock):
    """A sentence and a link, to a page of this site or to another address."""

    text = LineBlock(label=_("Sentence"), max_length=200)
    label = LineBlock(label=_("Words of the link"), max_length=60)
    page = blocks.PageChooserBlock(label=_("Page of this site"), required=False)
    address = WebAddressBlock(label=_("Or another address"), required=False)

    class Meta:
        icon = "link"
        label = _("Call to action")
        template = "home/blocks/call_to_action.html"
        value_class = CallToActionValue

    def clean(self, value: Any) -> Any:
        """Refuse a link without a target or with two."""
        cleaned = super().clean(value)
        if bool(cleaned.get("page")) == bool(cleaned.get("address")):
            message = ValidationError(_("Choose a page or enter an address, but not both."))
            raise StructBlockValidationError(block_errors={"page": message})
        return cleaned


class BodyBlock(blocks.StreamBlock):
    """The body of a page."""

    heading = LineBlock(
        label=_("Heading"), icon="title", max_length=120, template="home/blocks/heading.html"
    )
    paragraph = FormattedBlock(
        label=_("Text"),
        icon="pilcrow",
        features=TEXT_FEATURES,
        template="home/blocks/paragraph.html",
    )
    facts = FactsBlock()
    quote = QuoteBlock()
    picture = PictureBlock()
    call_to_action = CallToActionBlock()
