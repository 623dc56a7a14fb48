"""The example of the page about machines, as it stands there, word for word."""

import re
import shlex
from pathlib import Path

PAGE = Path(__file__).parent.parent / "docs" / "hardware.md"


def test_the_example_of_the_page_ends_as_the_page_says(armonica, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    _, _, after = PAGE.read_text(encoding="utf-8").partition("## In a minute, without a machine")
    block = re.search(r"```sh\n(.*?)```", after, re.DOTALL)
    assert block is not None
    for line in block[1].splitlines():
        match shlex.split(line, comments=True):
            case ["export", said]:
                monkeypatch.setenv(*said.split("="))
            case ["python", "-c", code]:
                exec(code, {})
            case ["armonica", *words]:
                capsys.readouterr()
                assert armonica(*words) == 0
    said = capsys.readouterr().out
    exact, aer, noisy, sent = re.findall(r"^ {4}\S.*?(?:-|1000)  (0\.\d+)(?: \+- ([\d.]+))?", said, re.MULTILINE)
    assert exact == ("0.01615", "")
    assert abs(float(aer[0]) - 0.01615) < 3 * float(aer[1])
    assert all(float(one[0]) - 0.01615 > 5 * float(one[1]) for one in (noisy, sent))
    assert re.search(r"fake:FakeManilaV2 \(sent\) +2 of 2 chords and 8 of 8 notes are Bach's", said)
