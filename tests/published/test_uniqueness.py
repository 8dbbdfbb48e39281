"""How rare nodes are by properties that identify nobody alone."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.errors import LimitError
from exporter.published.uniqueness import check_uniqueness, uniqueness, warnings
from exporter.sink.copies import UniquenessEntry, WithoutProperty

# dob, birth_city, zodiac_sign, gender of profiles; None is a null.
Profile = tuple[str | None, str | None, str | None, str | None]
COLUMNS = ("dob", "birth_city", "zodiac_sign", "gender")


def write_profiles(export: Path, *files: list[Profile]) -> Path:
    """An export's data files of CustomerProfile."""
    folder = export / "nodes" / "CustomerProfile"
    folder.mkdir(parents=True, exist_ok=True)
    for number, profiles in enumerate(files):
        lines = []
        for key, (dob, city, sign, gender) in enumerate(profiles):
            city, sign, gender = (
                "" if text is None else '"' + text.replace('"', '""') + '"' for text in (city, sign, gender)
            )
            lines.append(f"{number}{key},,{dob or ''},,{city},{sign},{gender},\n")
        (folder / f"part-{number:04d}.csv").write_text("".join(lines), encoding="utf-8")
    return export


def expected(profiles: list[Profile], properties: list[str], k: int) -> tuple[int, int, int]:
    """Classes, smallest and small, the slow way."""
    places = [COLUMNS.index(name) for name in properties]
    classes = Counter(tuple(profile[place] for place in places) for profile in profiles)
    return len(classes), min(classes.values(), default=0), sum(size for size in classes.values() if size < k)


def test_the_classes_of_a_label(tmp_path: Path) -> None:
    """The smallest class, the nodes in small ones, and the same without each property in turn; over all files."""
    export = write_profiles(
        tmp_path,
        [("1990-01-01", "Pune", "Leo", "f"), ("1990-01-01", "Pune", "Leo", "f"), ("1991-01-01", "Agra", "Leo", "f")],
        [("1990-01-01", "Pune", "Leo", "f"), ("1991-01-01", "Pune", "Leo", "f"), (None, None, None, None)],
    )
    assert uniqueness(export, "CustomerProfile", ["dob", "birth_city"], 3) == UniquenessEntry(
        "CustomerProfile", ["dob", "birth_city"], k=3, rows=6, classes=4, smallest=1, small=3,
        without=[WithoutProperty("dob", 1, 2), WithoutProperty("birth_city", 1, 3)],
    )  # fmt: skip


def test_one_property(tmp_path: Path) -> None:
    """Without it there is nothing to say."""
    export = write_profiles(tmp_path, [(None, "Pune", None, None), (None, "Pune", None, None), (None, "", None, None)])
    assert uniqueness(export, "CustomerProfile", ["birth_city"], 2) == UniquenessEntry(
        "CustomerProfile", ["birth_city"], k=2, rows=3, classes=2, smallest=1, small=1, without=[]
    )


def test_no_nodes(tmp_path: Path) -> None:
    """There are no classes, and nobody is rare."""
    entry = uniqueness(write_profiles(tmp_path, []), "CustomerProfile", ["dob", "gender"], 5)
    assert entry == UniquenessEntry(
        "CustomerProfile", ["dob", "gender"], 5, 0, 0, 0, 0,
        [WithoutProperty("dob", 0, 0), WithoutProperty("gender", 0, 0)],
    )  # fmt: skip
    assert warnings([entry]) == []
    check_uniqueness([entry], 0)


texts = st.none() | st.sampled_from(["", "a", "b", "a,b", 'q"', "null"])
profiles = st.lists(
    st.tuples(st.none() | st.sampled_from(["1990-01-01", "1991-01-01"]), texts, texts, texts), max_size=40
)


@settings(max_examples=25)
@given(profiles, profiles, st.integers(1, 6), st.sampled_from([1, 500, 1 << 28]))
def test_as_the_slow_way(
    tmp_path_factory: pytest.TempPathFactory, first: list[Profile], second: list[Profile], k: int, memory: int
) -> None:
    """Whatever the values, and however little memory there is: a null is not an empty text."""
    export = write_profiles(tmp_path_factory.mktemp("export"), first, second)
    every = [*first, *second]
    entry = uniqueness(export, "CustomerProfile", COLUMNS, k, memory=memory)
    assert (entry.classes, entry.smallest, entry.small) == expected(every, list(COLUMNS), k)
    assert [(without.property, without.smallest, without.small) for without in entry.without] == [
        (name, *expected(every, [other for other in COLUMNS if other != name], k)[1:]) for name in COLUMNS
    ]


RARE = UniquenessEntry(
    "CustomerProfile", ["dob", "gender", "birth_city"], 5, 1000, 90, 1, 42,
    [WithoutProperty("dob", 2, 10), WithoutProperty("gender", 1, 42), WithoutProperty("birth_city", 4, 4)],
)  # fmt: skip


def test_a_warning() -> None:
    """It says how many are rare, and which property to drop."""
    assert warnings([RARE]) == [
        "4.2 % of the CustomerProfile nodes share dob, gender and birth_city with fewer than 4 others; "
        "without birth_city: 0.4 % (--redact-k 5)"
    ]


def test_the_limit() -> None:
    """As many as it says are allowed; without a limit, any number is."""
    check_uniqueness([RARE], 0.042)
    check_uniqueness([RARE], None)
    with pytest.raises(LimitError) as refused:
        check_uniqueness([RARE], 0.041)
    assert str(refused.value) == (
        "more than --redact-max-small 4.1%, nothing was published: 4.2 % of the CustomerProfile nodes share dob, "
        "gender and birth_city with fewer than 4 others; without birth_city: 0.4 %"
    )
