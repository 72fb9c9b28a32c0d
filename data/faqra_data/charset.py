"""The bytes of a page or file as text, whatever charset they are in and whatever they claim.

Servers and pages often declare a wrong charset, so what the bytes themselves prove outweighs a
declaration. This module does not know what the text is for, except that it is mostly Arabic.
"""

import codecs
import re
from itertools import islice

from faqra_data.errors import InputError

# UTF-32 first: its little-endian mark begins with that of UTF-16.
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What often lies among pages; some of it could pass for text of an 8-bit charset.
_SIGNATURES = (
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"%PDF-", "a PDF"),
    (b"PK\x03\x04", "a ZIP archive (Word and Excel files are such)"),
    (b"\xd0\xcf\x11\xe0", "an old Word or Excel file"),
    (b"\x1f\x8b", "gzip data"),
    (b"\x28\xb5\x2f\xfd", "zstd data"),
    (b"PAR1", "a Parquet file"),
    (b"\x7fELF", "a program"),
)
_CONTROL_BYTES = bytes({*range(0x20), 0x7F} - set(b"\t\n\v\f\r\x1b"))
# Stray control characters of a text stay far under this; random bytes have 10 in 100.
_MOST_CONTROLS = 0.05
_PRESCAN_BYTES = 4096  # the HTML standard says 1024; real heads are longer
_META_CHARSET = re.compile(
    rb"""<(?:meta\b[^>]*?\bcharset|\?xml\b[^>]*?\bencoding)\s*=\s*["']?\s*([\w:.-]+)""",
    re.IGNORECASE,
)
_COMMENT = re.compile(rb"<!--.*?-->", re.DOTALL)
# A declared charset is believed where it is one of these and the bytes allow it: not UTF-8 (the
# bytes prove or refute it), not Latin-1 (servers say so of every page), no Python codec that is
# no charset. The Arabic ones are weighed against each other.
_BELIEVED = re.compile(r"cp\d+|iso8859-\d+|koi8|mac|gb|big5|shift_jis|euc|johab|tis")
_HABITUAL = frozenset(("ascii", "cp1252", "iso8859-1", "iso8859-15"))
_ARABIC = ("cp1256", "iso8859-6")  # windows-1256, far commoner, wins a tie
# What pages that are not Arabic are mostly in; with all its charsets to choose from,
# charset-normalizer takes a line of French for Baltic.
_OTHER_SCRIPTS = (
    *("cp1252", "cp1251", "cp1253", "cp1254", "cp1255"),
    *("gb18030", "shift_jis", "euc_kr", "big5"),
)
_BYTE_WORD = re.compile(rb"[A-Za-z\x80-\xff]+")
_SAMPLE_WORDS = 5000
_WORD = re.compile("(?:[^\\W\\d_]|[\u064b-\u0652\x80-\x9f\ufffd]){2,}")
_ARABIC_WORD = re.compile("[\u0621-\u0652\u0671-\u06d3]+")
_NO_LETTER = re.compile("[\u0640\u064b-\u0652]")


def decode_page(raw: bytes, *, declared: str | None = None, html: bool = True) -> str:
    """The text of a page, or of a plain text where not `html`; `declared` is the header's charset.

    Bytes that are nothing in their charset become U+FFFD. Raises InputError for bytes that are
    no text at all.
    """
    return raw.decode(codec_of(raw, declared=declared, html=html), "replace")


def codec_of(raw: bytes, *, declared: str | None = None, html: bool = True) -> str:
    """Python's name of the charset of a text, or of its beginning; it takes away a mark."""
    for mark, codec in _BYTE_ORDER_MARKS:
        if raw.startswith(mark):
            return codec
    wide = _utf16_without_mark(raw)
    if wide is not None:
        return wide
    _refuse_binary(raw)
    if _is_utf8(raw):
        return "utf-8"
    declarations = [declared or ""]
    if html:
        found = _META_CHARSET.search(_COMMENT.sub(b"", raw[:_PRESCAN_BYTES]))
        declarations.append(found[1].decode("ascii", "replace") if found else "")
    return _eight_bit_codec(raw, [_codec(name) for name in declarations])


def _utf16_without_mark(raw: bytes) -> str | None:
    """UTF-16 where every second byte is the high byte of an Arabic or an ASCII character."""
    head = raw[:_PRESCAN_BYTES]
    even, odd = (
        sum(map(head[offset::2].count, (b"\x00", b"\x06"))) / max(1, len(head) // 2)
        for offset in (0, 1)
    )
    if min(even, odd) > 0.2 or max(even, odd) < 0.8:
        return None
    return "utf-16-be" if even > odd else "utf-16-le"


def _refuse_binary(raw: bytes) -> None:
    for signature, kind in _SIGNATURES:
        if raw.startswith(signature):
            raise InputError(f"expected text or HTML, got {kind}")
    controls = len(raw) - len(raw.translate(None, _CONTROL_BYTES))
    if controls > max(4, _MOST_CONTROLS * len(raw)):
        raise InputError(
            f"expected text or HTML, got binary data: {controls:,} of {len(raw):,} bytes are "
            "control characters"
        )


def _is_utf8(raw: bytes) -> bool:
    """Whether more characters are proper UTF-8 than are broken.

    A charset of one byte a character hardly ever forms a proper sequence, so this also holds
    against a declaration.
    """
    text = raw.decode("utf-8", "replace")
    replacements = raw.count("\ufffd".encode())
    broken = text.count("\ufffd") - replacements
    proper = len(text) - len(text.encode("ascii", "ignore")) - broken
    return not broken or proper > broken


def _codec(name: str) -> str:
    """Python's name of a charset; empty where it has none."""
    try:
        return codecs.lookup(name.strip(" \t\"'")).name
    except (LookupError, ValueError):  # ValueError: a NUL in the name
        return ""


def _eight_bit_codec(raw: bytes, declared: list[str]) -> str:
    """The charset of bytes that are not UTF-8, from their words and from what is declared.

    charset-normalizer takes 2 in 100 lines of ISO-8859-6 for windows-1256 or Latin; counting
    words that are Arabic throughout errs in 0.5 of 100, on lines that are words in both.
    """
    byte_words = (found[0] for found in _BYTE_WORD.finditer(raw))
    sample = b" ".join(islice((w for w in byte_words if not w.isascii()), _SAMPLE_WORDS))
    scores = {codec: _arabic_score(sample.decode(codec, "replace")) for codec in _ARABIC}
    best = max(_ARABIC, key=lambda codec: scores[codec])
    if scores[best] > 0:
        # A near tie is a short text of letters that both charsets have at the same place.
        likely = [codec for codec in declared if scores.get(codec, 0) > 0.95 * scores[best]]
        return likely[0] if likely else best
    for codec in declared:
        if codec in _HABITUAL:
            return "cp1252"
        if _BELIEVED.match(codec) and _can_decode(raw, codec):
            return codec
    return _codec_of_another_script(raw)


def _arabic_score(text: str) -> int:
    """Letters in words that are Arabic throughout, less the length of all other words.

    Read in the other charset, Arabic has Latin letters, control characters or gaps within its
    words. The article makes up for short texts without any such; words of one letter tell
    nothing ("é" is a letter in both).
    """
    score = text.count("ال")
    for found in _WORD.finditer(text):
        word = found[0]
        letters = len(_NO_LETTER.sub("", word))
        score += letters if _ARABIC_WORD.fullmatch(word) else -len(word)
    return score


def _can_decode(raw: bytes, codec: str) -> bool:
    try:
        raw.decode(codec)
    except UnicodeDecodeError:
        return False
    return True


def _codec_of_another_script(raw: bytes) -> str:
    from charset_normalizer import from_bytes  # noqa: PLC0415 - 40 ms that few pages need

    best = from_bytes(raw, cp_isolation=list(_OTHER_SCRIPTS)).best()
    return "cp1252" if best is None else best.encoding
