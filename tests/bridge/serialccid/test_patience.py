# SPDX-License-Identifier: Apache-2.0
import threading

from vreader.bridge.serialccid.patience import Patience

PATIENCE_S = 20.0


class Asked:
    def __init__(self) -> None:
        self.times = 0
        self._changed = threading.Condition()

    def __call__(self) -> None:
        with self._changed:
            self.times += 1
            self._changed.notify_all()

    def wait(self, times: int) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self.times >= times, PATIENCE_S)


def test_long_work_asks_again_and_again():
    asked = Asked()
    patience = Patience(asked, 0.01, "test")
    patience.start()
    for times in (3, 6):
        with patience:
            assert asked.wait(times)
    patience.stop()


def test_short_work_asks_nothing_and_nothing_delays_the_end():
    asked = Asked()
    patience = Patience(asked, PATIENCE_S * 10, "test")
    patience.start()
    for _ in range(1000):
        with patience:
            pass
    patience.stop()
    patience.stop()
    assert asked.times == 0


def test_it_ends_in_the_middle_of_work():
    asked = Asked()
    patience = Patience(asked, 0.001, "test")
    patience.start()
    with patience:
        assert asked.wait(1)
        patience.stop()
    with patience:
        pass


def test_it_may_end_before_it_has_begun():
    Patience(Asked(), 1.0, "test").stop()
