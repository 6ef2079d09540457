"""Lets two programs embed the same texts in turns, and prints their rates, the ratio, and whether their vectors agree.
Each program is started once; while one works, the other waits for its next line."""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import numpy


class Program:
    """One of the two, started and warm."""

    def __init__(self, name, command, vectors):
        self.name, self.vectors, self.rates = name, vectors, []
        self.process = subprocess.Popen(
            [*command, vectors], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.said("ready")

    def said(self, wanted=None):
        """The next line that is what is wanted, or a number. Warnings between them are passed over."""
        passed = []
        for line in self.process.stdout:
            if line.strip() == wanted:
                return line
            try:
                return float(line)
            except ValueError:
                passed.append(line)
        sys.exit(f"{self.name} ended early:\n{''.join(passed[-20:])}")

    def measure(self, texts):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        self.rates.append(texts / self.said())

    def end(self):
        self.process.communicate()

    def report(self):
        rates = self.rates
        return f"| {self.name} | {statistics.median(rates):.1f} | {min(rates):.1f}–{max(rates):.1f} |"


def busy():
    """The share of the time that the processors are waited for by more than they can serve, over the last minute."""
    return os.getloadavg()[0] / len(os.sched_getaffinity(0))


def main():
    parser = argparse.ArgumentParser()
    for option in ["--rounds", "--texts", "--model", "--ours"]:
        parser.add_argument(option, required=True)
    options = parser.parse_args()
    rounds, texts = int(options.rounds), len(Path(options.texts).read_text(encoding="utf-8").splitlines())
    if busy() > 0.5:
        print(f"warning: other programs are running (load {busy():.1f} a processor); only the ratio means something")
    folder = Path(tempfile.mkdtemp(dir=Path(options.texts).parent))
    rate = Path(__file__).parent / "sentence_transformers_rate.py"
    files = [options.model, options.texts]
    ours = Program("zerodb_hooks_models", [options.ours, *files], folder / "ours")
    theirs = Program(f"sentence-transformers {version('sentence-transformers')}, torch {version('torch')}",
                     [sys.executable, rate, *files], folder / "theirs")
    for number in range(rounds):
        for program in [ours, theirs] if number % 2 == 0 else [theirs, ours]:
            program.measure(texts)
    ours.end()
    theirs.end()
    ratios = [mine / other for mine, other in zip(ours.rates, theirs.rates)]
    print(f"\n{texts} texts, {rounds} rounds, {len(os.sched_getaffinity(0))} processors ({platform.machine()}), "
          f"all-MiniLM-L6-v2\n")
    print("| | embeddings a second, median | smallest–largest |\n|---|---|---|")
    print(ours.report(), theirs.report(), sep="\n")
    print(f"\nratio of a round: median {statistics.median(ratios):.2f}, {min(ratios):.2f}–{max(ratios):.2f}")
    vectors = [numpy.fromfile(program.vectors, "<f4").reshape(texts, -1) for program in (ours, theirs)]
    print(f"smallest cosine between their vectors: {(vectors[0] * vectors[1]).sum(axis=1).min():.7f}")


if __name__ == "__main__":
    main()
