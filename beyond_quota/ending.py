"""Being asked to end: a run in hand ends after its batch and is called cancelled, instead of being cut off."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def asked_to_end(*signals: signal.Signals) -> Iterator[threading.Event]:
    """While it lasts, these signals set the event and end nothing by themselves; a second one is as good as a kill."""
    asked = threading.Event()

    def ask(number: int, frame: FrameType | None) -> None:
        asked.set()
        signal.signal(number, signal.SIG_DFL)

    before = {number: signal.signal(number, ask) for number in signals}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
