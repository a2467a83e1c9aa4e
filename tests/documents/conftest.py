"""Real files made by the libraries that people's programs make them with, and a reader of them."""

import importlib.util
import io
import zipfile
from pathlib import Path

import docx
import pytest
from reportlab.pdfgen.canvas import Canvas

from onenumbers_documents.model import DocumentError, ParsedDocument
from onenumbers_documents.reader import Reader, Upload

_SPEC = importlib.util.spec_from_file_location(
    "knowledge_fixtures", Path(__file__).parents[1] / "knowledge" / "conftest.py"
)
_KNOWLEDGE = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_KNOWLEDGE)
# A real collection on a real store, as the knowledge server's own tests have it.
hashing, store_path, store_url, store, collection = (
    getattr(_KNOWLEDGE, name) for name in ("hashing", "store_path", "store_url", "store", "collection")
)


def make_pdf(*pages: str, title: str = "", outline: dict[int, str] | None = None, password: str = "") -> bytes:
    """A PDF with a page for each text."""
    file = io.BytesIO()
    canvas = Canvas(file, encrypt=password or None)
    if title:
        canvas.setTitle(title)
    for number, page in enumerate(pages, start=1):
        if outline and number in outline:
            canvas.bookmarkPage(f"page{number}")
            canvas.addOutlineEntry(outline[number], f"page{number}", 0)
        text = canvas.beginText(50, 800)
        for line in page.split("\n"):
            text.textLine(line)
        canvas.drawText(text)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def make_docx(build=None, *, title: str = "") -> bytes:
    """A Word document; `build` fills it."""
    document = docx.Document()
    document.core_properties.title = title
    (build or (lambda d: d.add_paragraph("A paragraph.")))(document)
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def repack(data: bytes, changes: dict[str, bytes]) -> bytes:
    """A zip archive with other or more files in it."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name not in changes:
                new.writestr(name, old.read(name))
        for name, content in changes.items():
            new.writestr(name, content)
    return file.getvalue()


@pytest.fixture(scope="session")
def reader():
    with Reader() as opened:
        yield opened


@pytest.fixture
def read(reader):
    """Reads one document from bytes; gives it and the notes."""

    def one(name: str, data: bytes, **options):
        items = list(reader.read(Upload(name, data), **options))
        documents = [item for item in items if isinstance(item, ParsedDocument)]
        assert len(documents) == 1
        return documents[0], [item.text for item in items if not isinstance(item, ParsedDocument)]

    return one


@pytest.fixture
def refusal(reader):
    """Reads what cannot be read; gives the reason."""

    def reason(name: str, data: bytes) -> str:
        with pytest.raises(DocumentError) as caught:
            list(reader.read(Upload(name, data)))
        assert "\n" not in str(caught.value)
        return str(caught.value)

    return reason


@pytest.fixture
def pdf_of():
    return make_pdf


@pytest.fixture
def docx_of():
    return make_docx


@pytest.fixture
def repacked():
    return repack
