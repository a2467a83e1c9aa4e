"""Markdown and HTML: headings kept, scripts dropped, broken markup read."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


def test_front_matter_becomes_fields_and_metadata(read):
    text = (
        "---\ntitle: On bridges\ncategory: Calculation\nsource: classical\nnumbers: [7, 16]\nlang: en\n"
        "school: decoz\nwritten: 2024-05-01\nbig: 123456789012345678901234567890\n---\n# Other title\n\nText."
    )
    document, notes = read("a.md", text.encode())
    assert (document.title, document.category, document.source) == ("On bridges", "calculation", "classical")
    assert (document.numbers, document.language, document.school) == ((7, 16), "en", "decoz")
    assert document.metadata["written"] == "2024-05-01"
    assert document.metadata["big"] == "123456789012345678901234567890"
    assert document.content == "# Other title\n\nText.\n"
    assert notes == []


def test_front_matter_that_is_no_yaml_is_read_as_text_and_told(read):
    document, notes = read("a.md", b"---\na: [1\n---\n\nText.")
    assert notes == ["its front matter is not YAML and was read as text"]
    assert "Text." in document.content


def test_underlined_headings_become_marked_ones_and_comments_go(read):
    text = "A *fine* title\n===\n\n<!-- secret -->\n\nText\n\nSub\n---\n\n```\n# no heading\n<!-- kept -->\n```\n"
    document, _ = read("a.md", text.encode())
    assert document.title == "A fine title"
    assert "# A *fine* title\n" in document.content
    assert "## Sub\n" in document.content
    assert "secret" not in document.content
    assert "<!-- kept -->" in document.content


def test_the_title_is_the_first_heading_of_the_highest_level_else_the_name(read):
    assert read("a.md", b"## Small\n\n# Large\n\n# Second\n\nText.")[0].title == "Large"
    assert read("My notes.md", b"Only text.")[0].title == "My notes"
    assert read("a.md", b"# " + b"word " * 100 + b"\n\nText.")[0].title.endswith("…")


PAGE = b"""<!DOCTYPE html><html lang="en-GB"><head><title>On &amp; about 7</title><style>p{}</style>
<meta name="author" content="A. Writer"></head><body><nav>Menu</nav><script>alert("x")</script>
<h1>Seven <em>really</em></h1><p>First&nbsp;para
graph.<br>Next line.</p><h2>Lists</h2><ul><li>one<ul><li>deep</li></ul></li><li>two</li></ul><ol><li>a<li>b</ol>
<table><tr><th>Name<th>Number<tr><td>A|B<td>1</table><pre>x = 1
  y</pre><p># not a heading</p><noscript>no</noscript></body></html>"""


def test_a_page_becomes_markdown_with_its_headings_lists_and_tables(read):
    document, notes = read("page.html", PAGE)
    assert document.title == "On & about 7"
    assert document.language == "en-GB"
    assert document.metadata == {"author": "A. Writer", "file": "page.html", "kind": "html"}
    assert document.content == (
        "# Seven really\n\nFirst para graph.\nNext line.\n\n## Lists\n\n- one\n  - deep\n- two\n\n1. a\n2. b\n\n"
        "| Name | Number |\n| --- | --- |\n| A\\|B | 1 |\n\n```\nx = 1\n  y\n```\n\n\\# not a heading\n"
    )
    assert notes == []


def test_broken_markup_is_read_as_browsers_do(read):
    document, _ = read("broken.html", b"<h2>Title</h1><p>One <b>two<p>three</div></table><td>four<h3>Five")
    assert document.title == "Title"
    assert [word for word in ("One two", "three", "four", "### Five") if word not in document.content] == []


def test_a_page_without_a_known_name_is_recognised(read, refusal):
    assert read("page", b"\n<!-- made -->\n<!doctype HTML><title>T</title>text")[0].metadata["kind"] == "html"
    assert refusal("a.html", b"<html><script>only()</script></html>") == "holds no text besides markup"


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.sampled_from(
            [
                "<p>",
                "</p>",
                "<li>",
                "</ul>",
                "<ul>",
                "<table>",
                "<tr>",
                "<td>",
                "</table>",
                "<pre>",
                "</pre>",
                "<h1>",
                "</h2>",
                "<br>",
                "<ol>",
                "<script>",
                "</script>",
                "<svg>",
                "<template>",
                "w ",
                "# x",
                "&lt;",
                "\x00",
            ]
        )
    )
)
def test_no_page_breaks_the_parser_and_none_yields_control_characters(parts):
    """Called in this process: what is tested is the conversion, and the child would only hide an error."""
    from onenumbers_documents.html import html
    from onenumbers_documents.model import DocumentError

    try:
        document = html("start " + "".join(parts), name="a")
    except DocumentError:
        return
    assert document.content.strip()
    assert not any(ord(character) < 32 and character not in "\n\t" for character in document.content)


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="# =-\n`~<!->abc*[](){}|:\t\\&", max_size=200))
def test_no_markdown_breaks_the_parser(text):
    from onenumbers_documents.markdown import markdown
    from onenumbers_documents.model import DocumentError

    try:
        document, _ = markdown(text, name="a")
    except DocumentError:
        return
    assert 1 <= len(document.title) <= 300
    assert document.content.strip()
