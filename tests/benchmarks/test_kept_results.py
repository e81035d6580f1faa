"""What `make bench ARGS=--keep` left in the repository."""

from tests.benchmarks.report import KEPT, read
from tests.benchmarks.site import Scale


def test_every_kept_result_is_a_whole_run_that_can_still_be_read() -> None:
    kept = {path.stem: read(path) for path in KEPT.glob("*.json")}

    assert kept
    for kind, report in kept.items():
        assert report.machine.kind == kind
        assert not report.commit.endswith("-dirty"), "nobody can measure that again"
        assert report.scale.rounds >= Scale().rounds
        assert all((report.rows, report.loads, report.backlogs))
