"""What may happen to a connection at a moment (wire.py)."""

from tests.faults.wire import Happening, Link, Wire


def end(_: Wire, link: Link) -> None:
    """The connection is closed."""
    link.close()
    raise EOFError


def reset(_: Wire, link: Link) -> None:
    """The connection is reset."""
    link.close(reset=True)
    raise EOFError


def stall(_: Wire, link: Link) -> None:
    """Nothing more comes on this connection."""
    link.gone.wait()
    raise EOFError


def stall_everything(wire: Wire, link: Link) -> None:
    """Nothing more comes on any connection, nor on new ones."""
    wire.still.set()
    stall(wire, link)


def slow_down(wire: Wire, link: Link) -> None:
    """From now on, 1 kB a second."""
    wire.seconds_per_byte[link.number] = 0.001


HAPPENINGS: dict[str, Happening] = {
    "FIN": end,
    "RST": reset,
    "stall": stall,
    "stall of all": stall_everything,
    "1 kB/s": slow_down,
}
