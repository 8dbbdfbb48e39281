"""An output directory with what may lie in one."""

from pathlib import Path

from tests.support import tiny_export

STAMPS = [f"202611{day}T031500Z" for day in (20, 21, 22, 23)]


def write_output(output: Path) -> Path:
    """Four exports, the last but one of them `latest`, beside partial ones, kept rejects and what is neither."""
    for stamp in STAMPS:
        tiny_export.write(output / stamp)
    (output / "latest").symlink_to(STAMPS[2])
    for name in (".partial-20261119T031500Z", "rejected-20261120T120000Z", "rejected-20261124T031500Z", "20261119"):
        (output / name).mkdir()
    (output / "20261118T031500Z").write_text("not a directory")
    return output


def names(paths: list[Path]) -> list[str]:
    return [path.name for path in paths]
