"""How often the right prior is first, or among the first three, on made-up histories with stated relevance.

    python bench/record/relevance.py [--misses]

Recall@1: of the histories with a study to open, in how many it is first. Recall@3: how many of the relevant
studies are among the first three, of as many as could be. Noise: studies that do not bear on the current one
and stand before one that does.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.record.timeline.histories import judge, ranked, read_histories


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--misses", action="store_true", help="print the histories that are not right")
    misses = parser.parse_args().misses
    for name in ("histories", "unseen"):
        report(name, misses=misses)


def report(name, *, misses):
    histories = read_histories(name)
    verdict = judge(histories)
    print(
        f"{len(histories)} {name}: recall@1 {verdict.first:.3f} ({verdict.first_of}), "
        f"recall@3 {verdict.three:.3f} ({verdict.three_of}), not relevant before relevant {verdict.noise}"
    )
    if misses:
        for history in verdict.wrong:
            print(f"\n{history.now.modality} {history.now.exam}  {sorted(history.now.regions)}")
            for prior in ranked(history):
                other, mark = history.earlier[int(prior.study_uid)]
                print(f"  {mark} {prior.score:5.2f} {other.modality} {other.exam}  {prior.why}")


if __name__ == "__main__":
    main()
