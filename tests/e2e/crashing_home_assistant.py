"""Home Assistant that dies at a write: `python crashing_home_assistant.py FILE MOMENT ARGUMENT...`.

It kills itself (SIGKILL) at the first write of FILE in its storage after the file `armed` came to
be in its configuration: "before" the write, or "after" it. The arguments are Home Assistant's.
"""

from collections.abc import Callable
import os
from pathlib import Path
import signal
import sys

from homeassistant import __main__
from homeassistant.helpers import storage

FILE, MOMENT = sys.argv[1:3]
del sys.argv[1:3]

type Write = Callable[..., None]


def _crashing(write: Write) -> Write:
    def crash_or_write(filename: str, *args: object, **options: object) -> None:
        path = Path(filename)
        doomed = path.name == FILE and (path.parent.parent / "armed").exists()
        if doomed and MOMENT == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        write(filename, *args, **options)
        if doomed:
            os.kill(os.getpid(), signal.SIGKILL)

    return crash_or_write


for name in ("write_utf8_file", "write_utf8_file_atomic"):
    setattr(storage, name, _crashing(getattr(storage, name)))

sys.exit(__main__.main())
