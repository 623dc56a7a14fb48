"""Spherical p-spin glass, relaxing downhill in its random energy landscape.

    E(s) = -sqrt(p! / (2 N^(p-1))) sum_{i<j<k} J_ijk s_i s_j s_k,   p = 3,   |s|^2 = N

with J_ijk normal (Crisanti & Sommers 1992; aging in Cugliandolo & Kurchan 1993). Gradient flow on the sphere stops at
the threshold energy, E/N = -sqrt(4(p-1)/(2p)) = -2 sqrt(1/3) = -1.1547 for N to infinity. It learns nothing; it is here
as the smallest System that is glassy, and as a check of what the ruler says about aging.
"""

from dataclasses import asdict, dataclass
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from encoding import InputError, Purpose, checked_seed, stream
from encoding.asked import of_replicas
from encoding.errors import shown
from encoding.given import real_numbers
from encoding.layout import Group, lay_out
from encoding.memory import check_room
from encoding.rates import checked_replicas, rate_of_each

ROUNDING = 1e-12  # of |s|^2 / N: such spins are on the sphere already


@dataclass(frozen=True, kw_only=True)
class SphericalGlassSettings:
    """The settings of a SphericalGlass.

    Attributes:
        n_spins: N. Memory grows as N^3.
        disorder: seed of the couplings, the same for all replicas.
    """

    n_spins: int = 48
    disorder: int = 0

    def __post_init__(self) -> None:
        """Refuse what makes no glass.

        Raises:
            InputError: fewer than 3 spins, more than 500, or a seed that is none.
        """
        if isinstance(self.n_spins, bool) or not isinstance(self.n_spins, Integral) or not 3 <= self.n_spins <= 500:
            raise InputError(f"n_spins is a whole number from 3 to 500; got {self.n_spins!r}")
        object.__setattr__(self, "n_spins", int(self.n_spins))
        object.__setattr__(self, "disorder", checked_seed(self.disorder, "disorder"))


class SphericalGlass:
    """Replicas of one glass, from different random starts; deterministic once started."""

    Settings = SphericalGlassSettings
    physics = 1
    learns_from = "nothing"
    unit = "energy per spin"
    __repr__ = of_replicas

    def __init__(
        self, *, n_spins: int = 48, disorder: int = 0, seed: int = 0, n_replicas: int = 1, first_replica: int = 0
    ) -> None:
        """Spins uniform on the sphere |s|^2 = N.

        Args:
            n_spins: N.
            disorder: seed of the couplings.
            seed: of the starts.
            n_replicas: how many.
            first_replica: number of the first one.

        Raises:
            InputError: see `SphericalGlassSettings`; fewer than 1 replica, or more than there is room for.
        """
        self.settings = SphericalGlassSettings(n_spins=n_spins, disorder=disorder)
        n_spins, disorder = self.settings.n_spins, self.settings.disorder
        seed, first_replica = checked_seed(seed), checked_seed(first_replica, "first_replica")
        self.n_replicas, self.kernel = checked_replicas(n_replicas), "plain"
        numbers = 5 * n_spins**3 + n_replicas * (n_spins**2 + 8 * n_spins)  # while the couplings are made symmetric
        check_room(8.0 * numbers, f"{n_replicas} replica(s) of {n_spins} spins")
        self._couplings = _couplings(n_spins, disorder)
        replicas = range(first_replica, first_replica + n_replicas)
        starts = [stream(seed, replica, Purpose.START).standard_normal(n_spins) for replica in replicas]
        self._spins = _on_sphere(np.array(starts))  # (n_replicas, n_spins)
        self._frozen = np.zeros(n_replicas, bool)

    @classmethod
    def build(
        cls,
        chorales: None,
        settings: SphericalGlassSettings,
        *,
        seed: int,
        n_replicas: int,
        kernel: str | None = None,
        device: str = "cpu",
    ) -> "SphericalGlass":
        """The system of a Task: typed settings, seed, number of replicas."""
        if kernel not in (None, "plain") or device != "cpu":
            raise InputError(f"the spherical glass has the kernel plain on cpu; got {kernel or 'plain'} on {device}")
        return cls(**asdict(settings), seed=seed, n_replicas=n_replicas)

    def step(self, rate: ArrayLike, n: int = 1) -> NDArray[np.float64]:
        """`n` steps s <- sqrt(N) u/|u|, u = s - rate (dE/ds)_tangent; energies per spin before each, (n, n_replicas).

        Raises:
            InputError: see `rate_of_each`.
        """
        eta = rate_of_each(rate, n, self.n_replicas)
        energies = np.empty((n, self.n_replicas))
        for move in range(n):
            force = self._force()
            energies[move] = np.where(self._frozen, np.nan, self._energy(force))
            self._move(eta, force)
        return energies

    def _move(self, eta: NDArray[np.float64], force: NDArray[np.float64]) -> None:
        along = np.einsum("ri,ri->r", force, self._spins) / self.settings.n_spins
        with np.errstate(over="ignore", invalid="ignore"):
            moved = _on_sphere(self._spins + eta[:, None] * (force - along[:, None] * self._spins))
        finite = np.isfinite(moved).all(1) & moved.any(1)  # beyond the largest number |u| overflows, and u/|u| is 0
        self._frozen |= ~finite
        going = ~self._frozen & (eta > 0)
        self._spins = np.where(going[:, None], moved, self._spins)

    def _force(self) -> NDArray[np.float64]:
        """-dE/ds, (n_replicas, n_spins): three equal slots of the symmetric couplings."""
        n = self.settings.n_spins
        pairs = np.einsum("ri,rj->rij", self._spins, self._spins).reshape(self.n_replicas, n * n)
        return 3 * np.stack([self._couplings @ pair for pair in pairs])

    def _energy(self, force: NDArray[np.float64]) -> NDArray[np.float64]:
        """E/N: E is homogeneous of degree 3, so s . dE/ds = 3 E."""
        return -np.einsum("ri,ri->r", force, self._spins) / (3 * self.settings.n_spins)

    def loss(self) -> NDArray[np.float64]:
        """Energy per spin, (n_replicas,)."""
        return self._energy(self._force())

    def outputs(self) -> NDArray[np.float64]:
        """Local fields -dE/ds, as of a single slot, (n_replicas, 1, n_spins)."""
        return self._force()[:, None]

    def noise(self) -> NDArray[np.float64]:
        """No noise at zero temperature: 0, (n_replicas, 1)."""
        return np.zeros((self.n_replicas, 1))

    def weights(self) -> NDArray[np.float64]:
        """A copy of the spins, (n_replicas, n_spins)."""
        return self._spins.copy()

    def put(self, weights: ArrayLike) -> None:
        """Set the spins, (n_replicas, n_spins), brought onto the sphere |s|^2 = N.

        Raises:
            InputError: another shape, an entry that is not finite, or a replica of zeros.
        """
        array = real_numbers(weights)
        if array is None:
            raise InputError(f"spins are numbers, of shape {self._spins.shape}; got {shown(weights)}")
        if array.shape != self._spins.shape or not np.isfinite(array).all() or not array.any(axis=-1).all():
            raise InputError(f"spins are finite, not all 0, of shape {self._spins.shape}; got shape {array.shape}")
        off = abs((array**2).sum(1) / self.settings.n_spins - 1) > ROUNDING
        self._spins = np.where(off[:, None], _on_sphere(array), array)
        self._frozen[:] = False

    def layout(self) -> dict[str, Group]:
        """One group, the spins."""
        return lay_out({"spins": (self.settings.n_spins,)})

    def state(self) -> dict[str, NDArray[Any]]:
        """All that is needed to go on bit for bit."""
        return {"spins": self._spins.copy(), "frozen": self._frozen.copy()}

    def restore(self, state: dict[str, NDArray[Any]]) -> None:
        """Go on from `state()` of a glass of the same size.

        Raises:
            InputError: a state of another system.
        """
        now = self.state()
        same = set(state) == set(now) and all(np.shape(state[name]) == array.shape for name, array in now.items())
        if not same or not np.isfinite(state["spins"]).all():
            raise InputError(
                f"a glass of {self.n_replicas} x {self.settings.n_spins} spins has another state; got {set(state)}"
            )
        self._spins, self._frozen = state["spins"].copy(), state["frozen"].copy()

    def clone(self, seed: int) -> "SphericalGlass":
        """A copy in the same state; without noise, `seed` changes nothing."""
        twin = SphericalGlass(**asdict(self.settings), seed=seed, n_replicas=self.n_replicas)
        twin.restore(self.state())
        return twin


def _couplings(n: int, disorder: int) -> NDArray[np.float64]:
    """Symmetric C with E = -sum_ijk C_ijk s_i s_j s_k, zero where two indices agree, as (n, n * n)."""
    drawn = stream(disorder, 0, Purpose.DISORDER).standard_normal((n, n, n))
    i, j, k = np.ogrid[:n, :n, :n]
    ordered = np.where((i < j) & (j < k), drawn, 0)
    turns = [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)]
    symmetric = sum(ordered.transpose(turn) for turn in turns) / 6
    return (np.sqrt(3 / n**2) * symmetric).reshape(n, n * n)  # p!/2 = 3


def _on_sphere(spins: NDArray[np.float64]) -> NDArray[np.float64]:
    return spins * np.sqrt(spins.shape[1]) / np.linalg.norm(spins, axis=1, keepdims=True)
