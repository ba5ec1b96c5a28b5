"""What worker processes of the tests are asked to call; they import this module and little else."""

import logging
import os
import signal
import sys
import time
import warnings
from pathlib import Path

import numpy as np

from astrodriz_core.errors import MissingFilesError


def process_id(_: object) -> int:
    return os.getpid()


def settings_of_libraries(_: object) -> str | None:
    return os.environ.get("OMP_NUM_THREADS")


def double(image: np.ndarray) -> np.ndarray:
    return image * 2


def itself(image: np.ndarray) -> tuple[np.ndarray, bool]:
    return image, image.flags.writeable


def speak(number: int) -> int:
    sys.stdout.write("to standard output, which has another use\n")
    logging.getLogger("astrodriz_io.drizzling").info("message %d", number)
    logging.getLogger("astrodriz_io.drizzling").debug("detail %d", number)
    warnings.warn(f"warning {number}", UserWarning, stacklevel=1)
    return number


def fail(_: object) -> None:
    raise MissingFilesError("Two files are missing.", files=("a", "b"), where="asn", remedy="Find them.")


def fail_unexpectedly(_: object) -> float:
    return 1 / 0


def be_killed(_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def tell_and_wait(place: Path) -> None:
    place.write_text(str(os.getpid()))
    time.sleep(600)
