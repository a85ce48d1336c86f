"""The report: pictures and a table from a file that was measured, and one refusal."""

import json

import pytest

from benchmarks.conftest import lines, times
from benchmarks.goals import BANDWIDTH, NOISE_AND_BYTES, verdicts
from benchmarks.report import bars, growth, main, read, roofline, table

SECONDS = {"ours": 1e-3, "diffusers": 6e-3, "torch, in place": 2e-3, BANDWIDTH: 1e-4, NOISE_AND_BYTES: 9e-4}
ENTRIES = [
    {
        "workload": "step-stochastic",
        "size": "small",
        "seconds": SECONDS,
        "ratio": {"diffusers": [5.0, 6.0, 7.0], "torch, in place": [1.9, 2.0, 2.1]},
        "passes": {"ours": 3, "diffusers": 20, "torch, in place": 9},
        "peer_error": {"diffusers": 2e-6},
        "elements": 786432,
        "bytes_each": 4,
        "bandwidth_fraction": 0.15,
        "part_of_floor": {BANDWIDTH: [0.1, 0.15, 0.2], NOISE_AND_BYTES: [0.8, 0.9, 1.0]},
        "missing": {"azula": "azula is missing"},
    },
    {"workload": "growth", "size": "steps", "ratio": {"100": [9.0, 9.9, 10.0]}, "sizes": [10, 100], "exponent": 0.996},
    {
        "workload": "time-to-accuracy",
        "size": "W2 0.05",
        "seconds": {"dpmpp-2m": 2e-3, "ddim": 4e-3},
        "ratio": {"ddim": [1.9, 2.0, 2.1]},
        "steps": {"dpmpp-2m": 23, "ddim": 91},
        "best": "dpmpp-2m",
    },
]


def test_the_terminal_shows_who_is_how_much_slower_at_which_error_and_every_goal():
    """Each line is that of one peer or goal, and fits into a hundred columns."""
    printed = list(lines([entry["extra_info"] for entry in document("cpu (a processor)")["benchmarks"]]))
    assert max(map(len, printed)) <= 100
    words = {" ".join(line.split()) for line in printed}
    assert "step-stochastic, small diffusers 5.00x 6.00x 7.00x 2.0e-06 1.0e-06" in words
    assert "step-stochastic, small azula not measured: azula is missing" in words
    assert "time-to-accuracy, W2 0.05 ours is dpmpp-2m (23 steps)" in words
    assert "time-to-accuracy, W2 0.05 ddim (91 steps) 1.90x 2.00x 2.10x - 1.0e-06" in words
    assert "step-stochastic, small torch, in place 2 3.5 3 BELOW THE FLOOR" in words
    assert "growth, steps exponent 0.996 1 +-0.03 reached" in words


@pytest.mark.parametrize(("ratio", "shown"), [(0.0512, "0.05x"), (0.999, "1.00x"), (12.34, "12.3x"), (1234.5, "1234x")])
def test_a_ratio_has_about_three_digits(ratio, shown):
    assert times(ratio) == shown


@pytest.fixture
def measured(tmp_path):
    path = tmp_path / "some.json"
    path.write_text(json.dumps(document("cpu (a processor)")), encoding="utf-8")
    return path


def document(device):
    common = {
        "dtype": "float32",
        "backend": "with_numba",
        "device": device,
        "kind": "cpu",
        "error": 1e-6,
        "passes": None,
    }
    rows = [common | entry for entry in ENTRIES]
    for row in rows:
        row["goals"] = [verdict._asdict() | {"result": verdict.words} for verdict in verdicts(row)]
    about = {"device": device, "versions": {"python": "3.12"}}
    entries = [{"name": row["workload"], "extra_info": row} for row in rows]
    return {"machine_info": about, "datetime": "2030-01-02T03:04:05", "benchmarks": entries}


def test_the_table_has_every_peer_and_every_goal(measured):
    about, rows = read([measured])
    text = "\n".join(table(about, rows))
    assert "# cpu (a processor), 2030-01-02" in text
    for part in (
        "| | diffusers | 6 | 5 to 7 | 20 | 2.0e-06 | 6 | 5 | reached |",
        "| | torch, in place | 2 | 1.9 to 2.1 | 9 |  | 3.5 | 3 | BELOW THE FLOOR |",
        "| | noise and bytes | 0.9 | | | | 0.9 |  | reached |",
        "| | azula | not measured | | | | | | azula is missing |",
        "10 to 100: exponent 0.996",
        "| | exponent | 0.996 | | | | 1 | within 0.03 | reached |",
        "dpmpp-2m, 23 steps, 2 ms",
    ):
        assert part in text
    cells = {line.count("|") for line in text.splitlines() if line.startswith("|")}
    assert cells == {10}


def test_pictures_stand_beside_the_file(measured, monkeypatch, capsys):
    pytest.importorskip("matplotlib")
    monkeypatch.setattr("sys.argv", ["report", str(measured)])
    main()
    named = [f"some-{draw.__name__}.svg" for draw in (bars, growth, roofline)]
    assert all((measured.parent / name).read_bytes().startswith(b"<?xml") for name in named)
    assert (measured.parent / "some.md").read_text(encoding="utf-8").startswith("# cpu (a processor)")
    assert "some-roofline.svg" in capsys.readouterr().out


def test_files_of_two_devices_are_no_report(measured, tmp_path):
    other = tmp_path / "other.json"
    other.write_text(json.dumps(document("a GPU")), encoding="utf-8")
    with pytest.raises(ValueError, match=r"2 devices, a GPU, cpu \(a processor\); expected one"):
        read([measured, other])
