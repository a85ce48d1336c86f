"""Work for a Dask scheduler: the same verdicts, and a clear word where there is nobody, or somebody else."""

import json
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from noiseproof import cli, connecting, runfile
from noiseproof.faults import Unreachable
from noiseproof.running import Died, Ended, Gave, events

ROOT = Path(__file__).resolve().parents[2]
VARIANCE = "reversal.posterior-variance"


def judged(*options):
    """What `noiseproof verify --json` finds, without the time it takes."""
    command = [sys.executable, "-m", "noiseproof", "verify", VARIANCE, "reversal.bayes-kernel", "--json", *options]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stderr
    report = json.loads(ran.stdout)
    for check in (check for claim in report["claims"] for check in claim["checks"]):
        del check["seconds"]
    return report


@pytest.mark.slow
def test_two_processes_find_what_one_finds():
    assert judged("--workers", "2") == judged("--workers", "1")


# ---------------------------------------------------------------- a cluster


@pytest.fixture(scope="module")
def scheduler():
    """The address of a scheduler with two workers, each a process with one thread."""
    distributed = pytest.importorskip("distributed", reason="needs distributed: pip install 'noiseproof[dask]'")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "tests" / "noiseproof"))  # the workers inherit it
        options = {"threads_per_worker": 1, "processes": True, "dashboard_address": None, "host": "127.0.0.1"}
        with distributed.LocalCluster(n_workers=2, **options) as cluster:
            yield cluster.scheduler_address


@pytest.mark.slow
def test_a_cluster_finds_what_one_process_finds(scheduler):
    assert judged("--executor", scheduler) == judged("--workers", "1")


@pytest.mark.slow
def test_on_a_cluster_a_task_that_kills_its_worker_is_named_and_the_others_finish(scheduler):
    from deadly import dying

    with connecting.cluster(scheduler) as (executor, width):
        assert width() == 2
        story = list(events(dying, ["a", "die", "b", "c"], width, executor))
    (died,) = [e for e in story if isinstance(e, Died)]
    assert died.task == "die"
    assert "KilledWorker" in died.why
    assert {e.task for e in story if isinstance(e, Ended)} == {"a", "b", "c"}
    assert [e.result for e in story if isinstance(e, Gave) and e.task == "c"] == ["alive"]


@pytest.mark.slow
def test_a_worker_with_other_code_is_refused(scheduler, monkeypatch):
    monkeypatch.setitem(runfile.installed(), "code", "another")  # here, and not in the processes of the workers
    refusal = pytest.raises(
        Unreachable, match=r"has not the noiseproof that is here: .*code [0-9a-f]{16}, and not another"
    )
    with refusal, connecting.cluster(scheduler):
        pass


@pytest.mark.slow
def test_a_worker_without_noiseproof_says_so(scheduler):
    """When it is greeted, and later if it comes later; it is not waited for."""

    def change(module):
        sys.modules["noiseproof.runfile"] = module

    def change_back():
        del sys.modules["noiseproof.runfile"]

    with connecting.cluster(scheduler) as (executor, width):
        executor.client.run(change, None)
        try:
            with pytest.raises(Unreachable, match=r"has not the noiseproof that is here: ModuleNotFoundError"):
                connecting.greet(executor.client, scheduler)
            died = [e for e in events(print, ["a"], width, executor) if isinstance(e, Died)]
        finally:
            executor.client.run(change_back)
        assert ["ModuleNotFoundError" in e.why for e in died] == [True]


# ---------------------------------------------------------------- nobody, and somebody else


@pytest.fixture
def refused(capfd, monkeypatch):
    """What `noiseproof verify --executor ADDRESS` says before it does anything."""

    def command(address):
        words = ["verify", VARIANCE, "--executor", address]
        monkeypatch.setattr(connecting, "PATIENCE", 1.0)
        code = cli.status(lambda: cli.cli.main(words, prog_name="noiseproof", standalone_mode=False))
        out, err = capfd.readouterr()
        assert (code, out) == (4, "")
        assert "Traceback" not in err
        return err

    return command


@pytest.mark.parametrize(
    "address",
    ["", "nonsense", "127.0.0.1:8786", "tcp://host", "tcp://:8786", "tcp://host:port", "tcp://host:99999", "udp://h:1"],
)
def test_what_is_no_address_is_refused(refused, address):
    assert "is not the address of a scheduler: write tcp://host:port" in refused(address)


def test_a_missing_extra_is_named_with_the_line_that_installs_it(refused, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert "--executor needs distributed: pip install 'noiseproof[dask]'" in refused("tcp://127.0.0.1:8786")


@pytest.mark.parametrize("listening", [False, True])
def test_nobody_and_somebody_silent_are_not_waited_for(refused, listening):
    pytest.importorskip("distributed", reason="needs distributed: pip install 'noiseproof[dask]'")
    with closing(socket.socket()) as somebody:
        somebody.bind(("127.0.0.1", 0))
        if listening:
            somebody.listen()
        address = "tcp://{}:{}".format(*somebody.getsockname())
        assert f"no Dask scheduler answers at {address}: " in refused(address)


def test_distributed_is_imported_for_a_cluster_only():
    code = "import sys, noiseproof.cli as c; c.status(lambda: c.cli.main(sys.argv[1:], standalone_mode=False))"
    words = ["verify", VARIANCE, "--kind", "symbolic", "--workers", "1"]
    ran = subprocess.run(
        [sys.executable, "-c", f"{code}; print(*sys.modules)", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "noiseproof.running" in ran.stdout.split()
    assert not {"distributed", "dask"} & set(ran.stdout.split())
