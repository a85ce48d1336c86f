"""What the README says of the commands, in both languages, is what they do."""

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from noiseproof import cli, sample

ROOT = Path(__file__).resolve().parents[1]
READMES = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "README.md", ROOT / "README.zh-CN.md")}


@pytest.mark.parametrize("name", READMES)
def test_what_value_prints_is_what_is_shown(name):
    (command, shown) = re.findall(r"^\$ noiseproof (value .*)\n((?:.+\n)+?)```", READMES[name], re.MULTILINE)[0]
    result = CliRunner().invoke(cli.cli, shlex.split(command))
    assert sorted(result.output.splitlines()) == sorted(shown.splitlines())


@pytest.mark.parametrize("name", READMES)
def test_what_downloads_comes_after_the_word_on_cuda(name):
    text = READMES[name]
    assert text.index("CUDA") < text.index("https://download.pytorch.org/whl/cpu") < text.index("\nmake verify")
    assert f"torch=={re.findall(r'^torch==(.+)$', (ROOT / 'constraints.txt').read_text(), re.MULTILINE)[0]} " in text


def test_there_are_fifteen_samplers_and_the_first_command_names_two():
    assert len(sample.SAMPLERS) == 15
    for text in READMES.values():
        (command,) = re.findall(r"`noiseproof (sample ring .*?)`", text)
        words = shlex.split(command)
        assert {words[k + 1] for k, word in enumerate(words) if word == "--sampler"} <= set(sample.SAMPLERS)
