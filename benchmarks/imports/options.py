"""What benchmarks of imports are told on the command line."""

import argparse
from pathlib import Path


def world_parser(*, lines: int = 1_000_000) -> argparse.ArgumentParser:
    """A parser of a world's folder and size; `lines` is how many calls there are if not said."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--lines", type=int, default=lines)
    parser.add_argument("--prefixes", type=int, default=60_000)
    parser.add_argument("--customers", type=int, default=2_000)
    return parser
