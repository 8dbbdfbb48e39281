"""Where everything lies in an export: names as the contract has them."""

import pytest

from exporter.model.graph import NODES, RELATIONSHIPS
from exporter.model.tables import ordered_relationships
from exporter.sink.layout import data_file, data_folder, entities, header_file, rejects_file

ENTITIES = {entity.name: entity for entity in entities()}


def test_the_names_of_entities() -> None:
    """The model's labels and then its patterns, each once, in import order."""
    labels = [node.label for node in NODES]
    patterns = [f"{pattern.start}-{pattern.type}-{pattern.end}" for pattern in ordered_relationships()]
    assert [entity.name for entity in entities()] == [*labels, *patterns]
    assert len(ENTITIES) == len(NODES) + len(RELATIONSHIPS)


@pytest.mark.parametrize(
    ("entity", "folder"),
    [
        ("AuthUser", "nodes/AuthUser"),
        ("Customer-HAS_AUTH-AuthUser", "relationships/Customer-HAS_AUTH-AuthUser"),
    ],
)
def test_the_files_of_an_entity(entity: str, folder: str) -> None:
    """Header, data and rejects have the label's or the pattern's name."""
    of = ENTITIES[entity]
    assert [path.as_posix() for path in (header_file(of), data_folder(of), data_file(of, 7), rejects_file(of, 12))] == [
        f"headers/{entity}.csv",
        folder,
        f"{folder}/part-0007.csv",
        f"rejects/{folder}/part-0012.csv",
    ]


def test_many_chunks_sort_as_they_are_numbered() -> None:
    """As far as four digits go."""
    files = [data_file(ENTITIES["Skill"], number) for number in (2, 10, 999, 1000, 9999)]
    assert files == sorted(files)
