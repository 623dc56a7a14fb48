"""What is installed under a name is looked at before it is believed."""

from dataclasses import dataclass
from importlib.metadata import EntryPoint

import pytest

from classical import SphericalGlass
from encoding import InputError
from experiments import learn, systems


@dataclass
class NoSettings:
    """A dataclass with nothing in it."""


class Whole:
    Settings, physics, learns_from, build = NoSettings, 1, "nothing", None


class WithoutBuild:
    Settings, physics, learns_from = NoSettings, 1, "nothing"


class WithoutDataclass(Whole):
    Settings = dict


class OfNoting(Whole):
    learns_from = "noting"


@pytest.fixture
def install(monkeypatch):
    """Put a class of this file under the name `mine`."""

    def named(value):
        entry = EntryPoint("mine", value, systems.GROUP)
        monkeypatch.setattr(systems, "entry_points", lambda group, name=None: [entry])

    return named


WRONG = {
    "no_such_package_here:Thing": "does not load: ModuleNotFoundError: .*; mend or remove that package",
    f"{__name__}:NoSuchClass": "does not load",
    f"{__name__}:WithoutBuild": "it lacks .'build'.",
    f"{__name__}:WithoutDataclass": "Settings should be a dataclass",
    f"{__name__}:OfNoting": "learns_from is one of chorales, digits, nothing; got 'noting'",
}


@pytest.mark.parametrize("value", WRONG)
def test_a_plugin_that_is_no_family_is_refused_in_one_line(install, value):
    install(value)
    with pytest.raises(InputError, match=WRONG[value]) as refused:
        systems.family("mine")
    assert "\n" not in str(refused.value)


def test_a_plugin_that_is_one_is_found(install):
    install(f"{__name__}:Whole")
    assert systems.family("mine") is Whole


@pytest.mark.parametrize("verb", ["step", "loss", "noise", "weights", "put", "layout", "state", "restore", "clone"])
def test_what_lacks_a_verb_does_not_learn(verb):
    class Lacking(SphericalGlass):
        pass

    setattr(Lacking, verb, None)
    with pytest.raises(InputError, match=f"Lacking lacks {verb}$"):
        learn(Lacking(n_spins=4), 0.1, until=1)
