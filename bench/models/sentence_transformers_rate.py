"""How fast sentence-transformers embeds the texts of a file, one a line, with its own defaults:
`sentence_transformers_rate.py DIRECTORY TEXTS VECTORS`. It talks as models/examples/embed_rate.rs does: `ready`, and then
the seconds for each line that it reads."""

import sys
import time
from pathlib import Path

from sentence_transformers import SentenceTransformer


def main():
    directory, texts, vectors = sys.argv[1:]
    model = SentenceTransformer(directory, device="cpu")
    texts = Path(texts).read_text(encoding="utf-8").splitlines()
    model.encode(texts[:64], show_progress_bar=False)
    print("ready", flush=True)
    last = None
    for _ in sys.stdin:
        start = time.perf_counter()
        last = model.encode(texts, show_progress_bar=False)
        print(time.perf_counter() - start, flush=True)
    last.astype("<f4").tofile(vectors)


if __name__ == "__main__":
    main()
