"""What a packet of voice costs in the engine alone is measured of a room that hears and is told."""

import re

import pytest

from benchmarks.voice_engine import main


def test_every_packet_that_was_said_goes_to_all_who_have_its_speaker_in_a_slot(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Two of five speak for a second: each is heard by the four others."""
    main(5, 2, 1)
    said = capsys.readouterr().out
    assert said.startswith("5 pages, 2 speak, 1 s: 100 packets in, 400 out\n")
    assert len(re.findall(r"^(us_|share_|told_)\w+ [\d.]+", said, re.MULTILINE)) == 5
