"""Prints texts of mixed length, one a line: `texts.py COUNT`. They are runs of 1 to 16 neighbouring sentences from the
Markdown files of this repository, chosen with a fixed seed: the same files give the same texts."""

import random
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
# How many sentences a text has: many short texts, some that are longer than the model reads.
SENTENCES = [1, 1, 1, 2, 2, 3, 4, 6, 10, 16]


def sentences():
    """All sentences, in the order of the files, without those of fewer than 20 characters."""
    for path in sorted([*ROOT.glob("*.md"), *ROOT.glob("bench/**/*.md"), *ROOT.glob("tests/**/*.md")]):
        text = " ".join(path.read_text(encoding="utf-8").split())
        yield from (sentence for sentence in re.split(r"(?<=[.!?:;]) ", text) if len(sentence) >= 20)


def main():
    every = list(sentences())
    chance = random.Random(1)
    for _ in range(int(sys.argv[1])):
        first, length = chance.randrange(len(every)), chance.choice(SENTENCES)
        print(" ".join(every[(first + next_one) % len(every)] for next_one in range(length)))


if __name__ == "__main__":
    main()
