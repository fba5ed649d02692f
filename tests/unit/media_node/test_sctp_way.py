"""What an association knows of the way to its peer: what is lost on it, and what it carries while it is full."""

import pytest

from tests.unit.media_node.associations import Network


@pytest.mark.parametrize("delay_s", [0.01, 0.1])
@pytest.mark.parametrize("loss", [0.0, 0.02, 0.1])
def test_how_much_is_lost_on_the_way_is_known_by_who_sends(loss: float, delay_s: float) -> None:
    """About; what is newer than an expiry is not taken for lost by it. The other way is another matter."""
    told: list[float | None] = []
    for seed in range(4):
        network = Network(seed, loss=loss, delay_s=delay_s).open()
        for _ in range(300):
            for _ in range(2):
                network.node.send(1, 53, bytes(900), ordered=False, retransmits=0)
            network.run_for(0.05)
        told.append(network.node.loss)
        assert network.opener.loss is None
    assert told == pytest.approx([loss] * 4, abs=0.06)


def test_what_the_way_carries_is_known_while_it_is_full() -> None:
    """A window a round trip. Before, and once less is sent than that, nobody knows."""
    network = Network(22, delay_s=0.1).open()
    assert network.node.available_kbps(network.now) is None
    network.node.send(2, 53, bytes(60_000))
    network.run(lambda: network.node.available_kbps(network.now) is not None)
    carried = network.node.available_kbps(network.now)
    assert carried is not None
    assert 300 < carried < 2000
    network.run_for(5)
    assert network.node.available_kbps(network.now) is None


def test_an_association_that_was_never_open_knows_nothing_of_its_way() -> None:
    """Neither loss nor what it carries."""
    network = Network(23)
    assert (network.node.loss, network.node.available_kbps(0.0)) == (None, None)
