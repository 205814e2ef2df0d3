# SPDX-License-Identifier: Apache-2.0
"""The fixtures with pyscard: in this process, and by libpcsclite."""


def test_pyscard_in_process(run, need_package):
    need_package("smartcard")
    result = run("""
        import pytest
        import smartcard.scard.scard
        from smartcard.CardRequest import CardRequest
        from smartcard.System import readers

        @pytest.mark.vreader(card=["piv", "none"], reader=["Front", "Back"])
        def test_it_sees_this_world(vreader):
            assert [str(reader) for reader in readers()] == ["Front 00 00", "Back 00 00"]
            connection = readers()[0].createConnection()
            connection.connect()
            select = [0, 0xA4, 4, 0, 5, 0xA0, 0, 0, 3, 8]
            assert connection.transmit(select)[1:] == (0x90, 0)

        def test_the_next_one(vreader):
            assert [str(reader) for reader in readers()] == ["Virtual Reader 00 00"]
            service = CardRequest(timeout=5).waitforcard()
            service.connection.connect()
            assert service.connection.getATR()[0] == 0x3B

        @pytest.fixture
        def connection(vreader):
            connection = readers()[0].createConnection()
            connection.connect()
            return connection

        def test_that_fails(connection):
            assert not connection.getATR()

        @pytest.mark.vreader(card="atr:3B80800101")
        def test_after_it(connection):
            assert bytes(connection.getATR()).hex() == "3b80800101"

        def test_a_monitor_that_is_left_running(vreader):
            from smartcard.CardMonitoring import CardMonitor, CardObserver
            monitor = CardMonitor()
            monitor.addObserver(CardObserver())

        def test_without_a_world():
            assert smartcard.scard.scard._scard.__name__ == "smartcard.scard._scard"
    """)
    result.assert_outcomes(passed=5, failed=1)
    assert "Exception ignored" not in result.stdout.str() + result.stderr.str()


def test_pyscard_with_the_library(run, need_package):
    """A connection that a fixture returns, and closes not, finds its world to the end."""
    need_package("smartcard")
    run("""
        import pytest
        from smartcard.System import readers

        @pytest.fixture
        def connection(vreader_pcsc):
            connection = readers()[0].createConnection()
            connection.connect()
            return connection

        @pytest.mark.parametrize("reader", [
            pytest.param(name, marks=pytest.mark.vreader(reader=name)) for name in ("Red", "Blue")
        ])
        def test_it(connection, reader):
            assert str(connection.getReader()) == f"{reader} 00 00"
    """).assert_outcomes(passed=2)
