"""The peers by the names that commands take."""

from tests.benchmarks.peers.doccano import Doccano
from tests.benchmarks.peers.label_studio import LabelStudio
from tests.benchmarks.peers.product import Product

PEERS: dict[str, type[Product]] = {one.key: one for one in (LabelStudio, Doccano)}


def check(wanted: list[str]) -> None:
    """Raises SystemExit with what to do for the first of these peers that is not installed."""
    for name in wanted:
        if not PEERS[name]().is_installed():
            raise SystemExit(
                f"--peer {name}: {PEERS[name].name} is not installed below BENCH_HOME. Run: "
                f"python -m tests.benchmarks.peers install {name}"
            )
