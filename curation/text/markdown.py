"""Markdown as HTML that is safe to show, whoever wrote it."""

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

TAGS = {
    "p", "br", "hr", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "strong", "em", "s", "code",
    "pre", "blockquote", "table", "thead", "tbody", "tr", "th", "td", "a",
}  # fmt: skip
# Raw HTML stays text; pictures fall out with the tags: they would fetch from where the writer likes.
_parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
MAX_TEXT = 200_000


def to_html(text: str) -> SafeString:
    """The text as HTML with an allow-list of tags; its headings begin one level lower, so that the
    page's own heading stays the first. At most MAX_TEXT characters are read."""
    tokens = _parser.parse(text[:MAX_TEXT])
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + 1)}"
    html = _parser.renderer.render(tokens, _parser.options, {})
    clean = nh3.clean(
        html,
        tags=TAGS,
        attributes={"a": {"href"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )
    return mark_safe(clean)
