"""The wheel, built from the sdist, holds the four packages and nothing else, and works away from the checkout.

The dependencies are those of the environment that runs this script: a .pth line in a fresh environment points to
them, behind armonica itself.
"""

import json
import os
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("encoding", "classical", "quantum", "experiments")
IN_THE_WHEEL = ("*/**/*.py", "*/py.typed", "encoding/data/*.*", "experiments/studies/*.toml")
FROM_AROUND = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}  # would let the checkout in
LEARN = ["learn", "--width", "8", "--first", "3", "--until", "0.2", "--store", "runs"]
LOOK = """
import importlib.metadata as metadata, json, classical, encoding, experiments, quantum
systems = metadata.entry_points(group="armonica.systems")
print(json.dumps({
    "files": [room.__file__ for room in (encoding, classical, quantum, experiments)],
    "version": metadata.version("armonica"),
    "systems": {each.name: type(each.load()).__name__ for each in systems},
}))
"""


def run(*command: object, cwd: Path, **variables: str) -> str:
    """Output of a command, which must end with 0."""
    words = [str(word) for word in command]
    env = {name: value for name, value in os.environ.items() if name not in FROM_AROUND} | variables
    done = subprocess.run(words, cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"wheel: `{' '.join(words)}` ended with {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def build(folder: Path) -> Path:
    """The wheel, built from the sdist, so that both are complete."""
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    (wheel,) = folder.glob("armonica-*.whl")
    (_sdist,) = folder.glob("armonica-*.tar.gz")
    return wheel


def check_contents(wheel: Path) -> int:
    """Compare file by file with the checkout; return the number of files."""
    expected = {path.relative_to(ROOT).as_posix() for pattern in IN_THE_WHEEL for path in ROOT.glob(pattern)}
    expected = {name for name in expected if name.split("/")[0] in ROOMS}
    found = {name for name in zipfile.ZipFile(wheel).namelist() if not name.split("/")[0].endswith(".dist-info")}
    typed = {f"{room}/py.typed" for room in ROOMS}
    if found != expected or not typed <= found:
        sys.exit(f"wheel: missing {sorted((expected | typed) - found)}, not expected {sorted(found - expected)}")
    return len(found)


def install(wheel: Path, home: Path) -> Path:
    """A fresh environment with the wheel first and our dependencies behind it; return its folder of commands."""
    run(sys.executable, "-m", "venv", home, cwd=home.parent)
    commands = home / ("Scripts" if os.name == "nt" else "bin")
    run(commands / "python", "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", wheel, cwd=home.parent)
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(run(commands / "python", "-c", where, cwd=home.parent).strip())
    # The .pth files of a folder named by a .pth line are not read: the checkout's editable install stays out of sight.
    ours = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (site / "dependencies.pth").write_text("\n".join(sorted(ours)) + "\n", encoding="utf-8")
    return commands


def check_use(commands: Path, home: Path, away: Path) -> str:
    """Import, ask for help and learn, away from the checkout; return what was found."""
    cache = str(away / "cache")
    seen = json.loads(run(commands / "python", "-c", LOOK, cwd=away, ARMONICA_CACHE=cache))
    for file in seen["files"]:
        if home.resolve() not in Path(file).resolve().parents:
            sys.exit(f"wheel: {file} is not the installed one in {home}")
    if "learn" not in run(commands / "armonica", "--help", cwd=away, ARMONICA_CACHE=cache):
        sys.exit("wheel: `armonica --help` does not mention learn")
    run(commands / "armonica", *LEARN, cwd=away, ARMONICA_CACHE=cache)
    return f"armonica {seen['version']}, systems {', '.join(sorted(seen['systems']))}"


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="armonica-wheel-") as scratch:
        folder, away = Path(scratch).resolve(), Path(scratch).resolve() / "away"
        away.mkdir()
        wheel = build(folder)
        n_files = check_contents(wheel)
        commands = install(wheel, folder / "venv")
        found = check_use(commands, folder / "venv", away)
    print(f"wheel: {wheel.name} holds {n_files} files; elsewhere: {found}, help and learn work")


if __name__ == "__main__":
    main()
