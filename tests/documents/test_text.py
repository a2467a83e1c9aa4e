"""Plain text: its encoding found or named, the binary refused."""

import pytest

GERMAN = "Die Zahl fünf steht für Veränderung; ältere Quellen nennen größere Wagnisse."
CZECH = "Číslo sedm je v tradici číslem hledání poznání; žáci se učí počítat a přemýšlet, říká starší učitel při řece."
RUSSIAN = "Число семь означает в традиции поиск знания; ученик учится думать и слушать."
GREEK = "Ο αριθμός επτά σημαίνει στην παράδοση την αναζήτηση της γνώσης και της σοφίας."
JAPANESE = "数字の七は伝統では知識の探求を意味します。生徒は考えることを学びます。"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_text_that_says_its_encoding_is_read_without_a_warning(read, encoding):
    document, notes = read("Zahlen.txt", (GERMAN + "\r\nSchluß.").encode(encoding))
    assert document.content == f"{GERMAN}\nSchluß.\n"
    assert document.title == "Zahlen"
    assert notes == []


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", GERMAN),
        ("cp1252", "The word \u201cnumber\u201d isn\u2019t old."),
        ("cp1250", CZECH),
        ("cp1251", RUSSIAN),
        ("koi8_r", RUSSIAN),
        ("cp1253", GREEK),
        ("cp932", JAPANESE),
    ],
)
def test_another_encoding_is_found_and_the_guess_is_told(read, encoding, text):
    document, notes = read("a.txt", text.encode(encoding))
    assert document.content == f"{text}\n"
    assert notes == [f"read as {encoding}, which is a guess: save it as UTF-8 to be sure"]


def test_a_foreign_byte_late_in_a_long_text_is_found_as_well(read):
    document, notes = read("a.txt", b"plain words " * 50_000 + "für".encode("cp1252"))
    assert document.content.endswith("für\n")
    assert "cp1252" in notes[0]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b" \n\t\n", "holds only white space"),
        (b"text\x00with zeros", "is binary, not text"),
        (b"text " * 20_000 + b"\x00" * 100, "is binary, not text"),
        (bytes(range(1, 32)) * 50, "is binary, not text"),
        (b"\x89PNG\r\n\x1a\n" + b"x" * 50, "is a PNG picture, which is not read"),
        (b"\x7fELF\x02\x01", "is a program, which is not read"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "is an old Office file: save it as .docx first, which is not read"),
        (b"\xff\xfe\xff", "cannot be read as UTF-8 text; as utf-16 it breaks at byte 2"),
    ],
)
def test_what_is_no_text_is_refused_with_the_reason_whatever_its_name(refusal, data, reason):
    assert refusal("notes.txt", data) == reason


def test_a_few_control_characters_are_left_out_and_told(read):
    document, notes = read("a.txt", b"one\x07 two\x0cthree")
    assert document.content == "one two\nthree\n"
    assert notes == ["1 control characters left out"]


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\Users\\me\\notes.txt", "notes.txt"),
        ("/absolute/x.txt", "x.txt"),
        ("..", "document"),
        ("bad\x00\n\u202ename.txt", "bad \u202ename.txt"),
        ("", "document"),
    ],
)
def test_folders_in_a_name_are_left_out(read, name, kept):
    document, _ = read(name, b"Words.")
    assert document.metadata["file"] == kept


def test_a_text_longer_than_a_document_may_be_becomes_its_parts(reader):
    from onenumbers_documents.reader import Upload

    text = "".join(f"Paragraph {number} says little.\n\n" for number in range(80_000))
    documents = list(reader.read(Upload("long.txt", text.encode())))
    assert [document.key for document in documents] == ["part-1", "part-2", "part-3"]
    assert documents[1].title == "long (part 2 of 3)"
    assert all(len(document.content) <= 1_000_000 for document in documents)
    assert all(document.content.startswith("Paragraph") for document in documents)
    whole = "\n\n".join(document.content.strip() for document in documents)
    assert whole == text.strip(), "nothing is lost between the parts"


def test_a_text_that_speaks_of_pdf_is_a_text(read):
    assert read("notes.md", b"Such files begin with %PDF-1.4 and so on.")[0].metadata["kind"] == "markdown"


def test_parts_fit_into_a_message_also_where_characters_take_four_bytes(reader):
    from onenumbers_documents.reader import Upload

    documents = list(reader.read(Upload("long.txt", ("\U0001f522" * 49 + "\n").encode() * 19_000)))
    assert len(documents) == 2
    assert all(len(document.content.encode()) < 3_500_000 for document in documents)
