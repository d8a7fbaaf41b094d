"""The language of searches."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sukkal.errors import InvalidRequest
from sukkal.indexes.sqlite_fts.matching import Matching
from sukkal.search import Asked, Term
from sukkal.service.search_words import read_words
from sukkal.testing.contract_search import document


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("", ()),
        (" \t", ()),
        ("one two", (Term("one"), Term("two"))),
        ("-one", (Term("one", negative=True),)),
        ('"no valid host" x', (Term("no valid host"), Term("x"))),
        ('-"a bc"*', (Term("a bc", prefix=True, negative=True),)),
        ("comp*", (Term("comp", prefix=True),)),
        ("a-b.c/d", (Term("a-b.c/d"),)),
        ("--a", (Term("-a", negative=True),)),
        ("it's", (Term("it's"),)),
        ('a"b c"', (Term('a"b'), Term('c"'))),
        ('"a""b"', (Term("a"), Term("b"))),
        ("AND OR NOT NEAR", (Term("AND"), Term("OR"), Term("NOT"), Term("NEAR"))),
        ("über 東京", (Term("über"), Term("東京"))),
    ],
)
def test_a_text_is_read_as_terms(text: str, terms: tuple[Term, ...]) -> None:
    assert read_words(text) == terms


@pytest.mark.parametrize(
    ("text", "at", "why"),
    [
        ('one "two', 5, "closing quote"),
        ("one -", 5, "letter or digit"),
        ('""', 1, "letter or digit"),
        ("  *", 3, "letter or digit"),
        ("x a*", 3, "2 letters or digits"),
        ('"a\x00"', 1, "control character"),
        ("a\ud800", 1, "control character"),
    ],
)
def test_what_is_no_term_is_refused_with_its_place(text: str, at: int, why: str) -> None:
    with pytest.raises(InvalidRequest, match=rf"^q, character {at}: .*{why}"):
        read_words(text)


_NASTY = st.text(st.sampled_from("ab1ü東 \"*-:()^+{}\\'\t\x00_,.|&~`\u0300\u200d") | st.characters(), max_size=30)


@settings(max_examples=500, deadline=None)
@given(text=_NASTY, body=_NASTY, type_=_NASTY)
def test_no_text_makes_the_index_fail(text: str, body: str, type_: str) -> None:
    try:
        terms = read_words(text)
    except InvalidRequest:
        return
    body, type_ = (each.encode("utf-8", "replace").decode() for each in (body, type_))
    matching = Matching([document(0, body, type=type_)], elapsed_s=lambda: 0.0)
    matching.begin()
    asked = [Asked(terms=terms), Asked(terms=terms, fields={"type": type_})]
    found, of_type = [matching.found(question) for question in asked]
    assert found in ([], [0])
    assert of_type == (found if not type_.endswith(".*") else of_type)
    matching.close()
