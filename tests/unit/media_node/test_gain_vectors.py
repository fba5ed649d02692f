"""The laws of distance are the page's, too: `web/tests/voice.distance.test.ts` reads the same vectors."""

import json
from pathlib import Path
from typing import Final

import msgspec
import pytest

from chalicelib.wire.voice import Distance
from media_node.gain import law_of

VECTORS: Final = Path(__file__).parents[2] / "vectors" / "voice_gain.json"
LAWS: Final = json.loads(VECTORS.read_text())["laws"]


@pytest.mark.parametrize("law", LAWS, ids=[str(n) for n in range(len(LAWS))])
def test_a_law_is_the_one_that_the_page_has(law: dict[str, object]) -> None:
    """At each distance of each law: the Web Audio API's gain."""
    gain = law_of(msgspec.convert(law["distance"], Distance))
    for metres, wanted in msgspec.convert(law["gains"], list[tuple[float, float]]):
        assert gain(metres) == pytest.approx(wanted, abs=1e-12)
