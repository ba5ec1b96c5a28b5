"""The messages of a run belong to that run alone."""

import logging
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from astrodriz_io.runtime.log import run_log
from astrodriz_io.runtime.parallel import ordered_map

logger = logging.getLogger("astrodriz_io.test")


def test_two_runs_in_two_threads_keep_their_messages_apart():
    both = Barrier(2)

    def run(name):
        with run_log() as log:
            both.wait()
            logger.info("message of %s", name)
            both.wait()
        return log.lines

    with ThreadPoolExecutor(2) as pool:
        one, two = pool.map(run, ("one", "two"))
    assert [line.split(" ", 2)[2].strip() for line in (*one, *two)] == ["message of one", "message of two"]


def test_worker_threads_log_into_the_run_that_started_them():
    with run_log() as log:
        list(ordered_map(lambda number: logger.info("item %d", number), range(3), threads=2))
    assert len(log.lines) == 3


def test_details_are_kept_only_for_debugging():
    for debug, expected in ((False, 0), (True, 1)):
        with run_log(debug=debug) as log:
            logger.debug("detail")
        assert len(log.lines) == expected


def test_results_come_in_the_order_of_the_items():
    assert list(ordered_map(lambda number: number * number, range(20), threads=3)) == [n * n for n in range(20)]
