"""Install, start and stop the products to compare with; `tests/benchmarks/peers/__init__.py` says how."""

import argparse
import sys

from tests.benchmarks import peers
from tests.benchmarks.peers.catalog import PEERS
from tests.benchmarks.peers.product import PASSWORD, Database


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.peers",
        description=peers.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=["install", "start", "stop"])
    parser.add_argument("product", choices=sorted(PEERS))
    parser.add_argument("--database", default="", help="postgres://…; empty: SQLite")
    options = parser.parse_args()
    product = PEERS[options.product](Database.from_url(options.database))
    getattr(product, options.command)()
    if options.command == "install":
        print(f"{product.name} is in {product.venv}.")
    elif options.command == "start":
        print(f"{product.name}: {product.url}, {product.admin} with the password {PASSWORD}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
