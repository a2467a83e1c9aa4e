"""PDF and Word documents, whole, broken and hostile."""

import contextlib
import io
import zipfile
import zlib

import pytest

from onenumbers_documents.docx import docx
from onenumbers_documents.model import DocumentError, Limits
from onenumbers_documents.reader import Upload


def test_a_pdf_keeps_pages_outline_and_title(read, pdf_of):
    data = pdf_of("First num-\nber.", "Second.", "Third.", title="On numbers", outline={1: "Begin", 3: "End"})
    document, notes = read("book.pdf", data)
    assert document.title == "On numbers"
    assert document.metadata["pages"] == 3
    assert document.content == (
        "## Begin, page 1\n\nFirst number.\n\n## Begin, page 2\n\nSecond.\n\n## End, page 3\n\nThird.\n"
    )
    assert notes == []


def test_a_pdf_is_recognised_by_its_content_and_pages_without_text_are_told(read, pdf_of):
    document, notes = read("book.txt", pdf_of("Words.", "", "More."))
    assert document.metadata["kind"] == "pdf"
    assert "## Page 3" in document.content
    assert notes == ["page 2 without text: a scan needs OCR first"]


def test_pdfs_that_cannot_be_read_say_why(refusal, pdf_of):
    whole = pdf_of("Some words.")
    assert refusal("a.pdf", pdf_of("")) == "holds no text: scans need OCR first"
    assert refusal("a.pdf", pdf_of("Secret.", password="x")) == "is locked with a password"
    assert refusal("a.pdf", b"%PDF-1.7\nnothing of it").startswith("is a damaged PDF")
    assert refusal("a.pdf", b"words") == "is not a PDF: it does not begin like one"
    for end in (20, len(whole) // 3, len(whole) // 2):
        assert refusal("a.pdf", whole[:end]).startswith(("is a damaged PDF", "holds no text"))


def test_a_pdf_with_bytes_changed_anywhere_is_read_or_refused_and_the_next_file_is_read(reader, read, pdf_of):
    """Every 37th byte of a PDF is changed, one at a time: no process hangs, none ends."""
    whole = pdf_of("Some words.", "More words.", outline={1: "One"})
    read("a.pdf", whole)
    process = reader._process
    for position in range(0, len(whole), 37):
        broken = bytearray(whole)
        broken[position] ^= 0xFF
        with contextlib.suppress(DocumentError):
            list(reader.read(Upload("a.pdf", bytes(broken))))
        assert reader._process is process, "no process ended for it"
    assert "Some words." in read("a.pdf", whole)[0].content


def test_a_word_document_keeps_headings_lists_tables_and_title(read, docx_of):
    def build(document):
        document.add_heading("The title", 0)
        document.add_heading("A section", 1)
        document.add_paragraph("Some words.")
        document.add_paragraph("a point", style="List Bullet")
        document.add_paragraph("first", style="List Number")
        table = document.add_table(1, 2)
        table.cell(0, 0).text, table.cell(0, 1).text = "name", "7"

    document, notes = read("a.docx", docx_of(build, title="From the properties"))
    assert document.title == "From the properties"
    assert document.content == ("# The title\n\n# A section\n\nSome words.\n\n- a point\n\n1. first\n\n| name | 7 |\n")
    assert (document.metadata["kind"], notes) == ("docx", [])


def test_inserted_text_and_content_controls_of_a_word_document_are_read(read, docx_of, repacked):
    xml = (
        '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p>'
        "<w:r><w:t>kept </w:t></w:r><w:ins><w:r><w:t>inserted</w:t></w:r></w:ins><w:del><w:r><w:delText>gone"
        "</w:delText></w:r></w:del></w:p><w:sdt><w:sdtContent><w:p><w:r><w:t>control</w:t></w:r></w:p></w:sdtContent>"
        "</w:sdt></w:body></w:document>"
    )
    document, _ = read("a.docx", repacked(docx_of(), {"word/document.xml": xml.encode()}))
    assert document.content == "kept inserted\n\ncontrol\n"


def test_word_documents_that_cannot_be_read_say_why(refusal, docx_of, repacked):
    whole = docx_of()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("a.txt", "words")
    assert refusal("a.docx", archive.getvalue()) == "is a zip archive, but no Word document"
    assert refusal("a.docx", b"words") == "is not a Word document: it does not begin like one"
    assert refusal("a.docx", whole[: len(whole) // 2]) == "is a damaged zip archive: a Word document is one"
    assert refusal("a.docx", repacked(whole, {"word/document.xml": b"<w:document"})).startswith("is a damaged Word")
    empty = docx_of(lambda document: document.add_paragraph(" "))
    assert refusal("a.docx", empty) == "holds no text"


def test_a_zip_bomb_is_refused_by_its_table_before_it_is_unpacked(refusal, docx_of, repacked):
    whole = docx_of()
    zeros = bytes(20 * 1024 * 1024)
    assert "is a zip bomb: word/media/a.bin unpacks" in refusal("a.docx", repacked(whole, {"word/media/a.bin": zeros}))
    many = {f"word/{number}.bin": b"" for number in range(5_001)}
    assert "files in its archive, at most 5000 may be" in refusal("a.docx", repacked(whole, many))


def test_archives_that_unpack_to_too_much_are_refused(docx_of, repacked):
    data = repacked(docx_of(), {"word/big.xml": b"<a>" * 1_000_000})
    limits = Limits(max_ratio=10_000, max_unpacked_bytes=1024 * 1024)
    with pytest.raises(DocumentError, match="unpacks to 4 MiB, at most 1 MiB may be"):
        docx(io.BytesIO(data), name="a", limits=limits)
    limits = Limits(max_ratio=10_000, max_xml_bytes=1024 * 1024)
    with pytest.raises(DocumentError, match=r"holds word/big\.xml of 3 MiB, at most 1 MiB may be"):
        docx(io.BytesIO(data), name="a", limits=limits)


def test_a_table_that_lies_about_sizes_lets_nothing_more_out(refusal, docx_of, repacked):
    """The central directory says 100 bytes where 20 MiB are packed."""
    data = bytearray(repacked(docx_of(), {"word/document.xml": bytes(20 * 1024 * 1024)}))
    size = (20 * 1024 * 1024).to_bytes(4, "little")
    while (position := data.find(size)) >= 0:
        data[position : position + 4] = (100).to_bytes(4, "little")
    assert refusal("a.docx", bytes(data)).startswith("is a damaged Word document")


def test_entities_that_expand_to_billions_end_in_an_error(refusal, docx_of, repacked):
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    bomb = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e0 "lol">{levels}]><x>&e9;</x>'
    assert refusal("a.docx", repacked(docx_of(), {"word/document.xml": bomb.encode()})).startswith(
        ("is a damaged Word document", "needs more than", "took more than")
    )


def test_a_stream_that_unpacks_to_a_gigabyte_does_not_take_the_memory(reader, read):
    """Deflated twice, a gigabyte of zeros is a few kilobytes of PDF."""
    packer = zlib.compressobj(9)
    block = bytes(1024 * 1024)
    once = b"".join(packer.compress(block) for _ in range(1024)) + packer.flush()
    content = zlib.compress(once, 9)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R >>",
        b"<< /Length %d /Filter [/FlateDecode /FlateDecode] >>\nstream\n%s\nendstream" % (len(content), content),
    ]
    data, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        places.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    data += b"xref\n0 5\n0000000000 65535 f \n%strailer << /Size 5 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (
        table, len(data),
    )  # fmt: skip
    with pytest.raises(DocumentError, match=r"is a damaged PDF: none of its pages|memory|holds no text"):
        list(reader.read(Upload("a.pdf", data)))
    assert read("a.txt", b"Words.")[0].content == "Words.\n"


def test_empty_properties_are_none(read, docx_of, pdf_of):
    assert read("Name.docx", docx_of())[0].title == "Name"
    assert read("Name.pdf", pdf_of("Words."))[0].title == "Name"
