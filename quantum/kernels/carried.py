"""Coherent and staggered, compiled: a density matrix is carried from chord to chord, and an observable back.

    M = A rho,    f = tr(P M A^dagger),    rho' = tr over what is reset of M A^dagger
    O A = (Lambda + sum_f w_f P_f) A,    dL/dA += 2 O A rho,    Lambda <- A^dagger O A

All data states run side by side; blocks of two by two stay in registers. In `staggered` D[0], measured, is the last
qubit of H': rho has two sectors that do not mix, each of half the size, and the sums over data states are taken for
both values of D[0] apart. Sectors and halves of sums are all that tells the schedules apart. rho and Lambda are
Hermitian: half of their entries are computed. The factor 2 of dL/dA waits until the end.
"""

# Numba gives an intrinsic its first argument (the typing context); pyright cannot know.
# pyright: reportCallIssue=false

from numba import njit

from quantum.kernels.gates import BOTH
from quantum.kernels.vectors import LANES, OPTIONS, fma, fms, half_sums, load, mul, number, splat, split, store


@njit(**OPTIONS)
def push(sizes, a, chord, rho, history, out, into, added):
    """A rho into row `into` of `out`, added to what is there or not; rho is flat, from `history` on."""
    sectors, kept, step = sizes.sectors, sizes.kept, sizes.groups * BOTH
    down = sizes.history * step  # to the next h
    for h in range(0, sizes.history, 2):
        for sector in range(sectors):
            for j in range(0, kept, 2):
                j1 = min(j + 1, kept - 1)
                for group in range(0, step, BOTH):
                    here = chord * sizes.row + h * down + group
                    there = into * sizes.row + h * down + group
                    one, two = there + (j * sectors + sector) * step, there + (j1 * sectors + sector) * step
                    if added:
                        r00, i00 = load(out, one), load(out, one + LANES)
                        r01, i01 = load(out, two), load(out, two + LANES)
                        r10, i10 = load(out, one + down), load(out, one + down + LANES)
                        r11, i11 = load(out, two + down), load(out, two + down + LANES)
                    else:
                        r00 = i00 = r01 = i01 = r10 = i10 = r11 = i11 = number(load(a, here), 0.0)
                    for k in range(kept):
                        left, right = here + (k * sectors + sector) * step, history + ((sector * kept + k) * kept) * 2
                        ar, ai = load(a, left), load(a, left + LANES)
                        br, bi = load(a, left + down), load(a, left + down + LANES)
                        xr, xi = splat(rho[right + 2 * j]), splat(rho[right + 2 * j + 1])
                        yr, yi = splat(rho[right + 2 * j1]), splat(rho[right + 2 * j1 + 1])
                        r00, i00 = fms(ai, xi, fma(ar, xr, r00)), fma(ai, xr, fma(ar, xi, i00))
                        r01, i01 = fms(ai, yi, fma(ar, yr, r01)), fma(ai, yr, fma(ar, yi, i01))
                        r10, i10 = fms(bi, xi, fma(br, xr, r10)), fma(bi, xr, fma(br, xi, i10))
                        r11, i11 = fms(bi, yi, fma(br, yr, r11)), fma(bi, yr, fma(br, yi, i11))
                    store(out, one, r00)
                    store(out, one + LANES, i00)
                    store(out, one + down, r10)
                    store(out, one + down + LANES, i10)
                    if j1 > j:
                        store(out, two, r01)
                        store(out, two + LANES, i01)
                        store(out, two + down, r11)
                        store(out, two + down + LANES, i11)


@njit(**OPTIONS)
def reduce(sizes, m, a, chord, rho, history, sums):
    """tr over what is reset of M A^dagger, into the matrix of the flat rho that begins at `history`."""
    kept = sizes.kept
    for h in range(0, kept, 2):
        for k in range(0, h + 1, 2):
            h1, k1 = min(h + 1, kept - 1), min(k + 1, kept - 1)
            _dots(sizes, m, 0, a, chord * sizes.row, h, h1, k, k1, True, sums)
            for which in range(4):
                left, right = h + which // 2, k + which % 2
                if left < kept and right <= left:
                    _write(sizes, rho, history, left, right, sums, 4 * which)


@njit(**OPTIONS)
def _dots(sizes, x, x0, y, y0, h, h1, k, k1, by_rows, sums):
    """Four sums of x conj(y) for both halves of the data states, (h, k), (h, k1), (h1, k), (h1, k1), into `sums`.

    by_rows: h and k are states kept after the chord, all before are summed over; else the other way round.
    """
    step = sizes.groups * BOTH
    row = sizes.history * step
    near, outer, n_outer, n_inner = step, row, sizes.history, 1
    if by_rows:
        near, outer, n_outer, n_inner = row, row * sizes.kept, sizes.sectors, sizes.history
    r00 = i00 = r01 = i01 = r10 = i10 = r11 = i11 = number(load(x, x0), 0.0)
    for o in range(n_outer):
        for i in range(n_inner):
            left, right = x0 + o * outer + i * step, y0 + o * outer + i * step
            p, p1 = left + h * near, left + h1 * near
            q, q1 = right + k * near, right + k1 * near
            for group in range(0, step, BOTH):
                ar, ai = load(x, p + group), load(x, p + group + LANES)
                br, bi = load(x, p1 + group), load(x, p1 + group + LANES)
                cr, ci = load(y, q + group), load(y, q + group + LANES)
                dr, di = load(y, q1 + group), load(y, q1 + group + LANES)
                r00, i00 = fma(ai, ci, fma(ar, cr, r00)), fms(ar, ci, fma(ai, cr, i00))
                r01, i01 = fma(ai, di, fma(ar, dr, r01)), fms(ar, di, fma(ai, dr, i01))
                r10, i10 = fma(bi, ci, fma(br, cr, r10)), fms(br, ci, fma(bi, cr, i10))
                r11, i11 = fma(bi, di, fma(br, dr, r11)), fms(br, di, fma(bi, dr, i11))
    store(sums, 0, half_sums(r00, i00, r01, i01, r10, i10, r11, i11))


@njit(**OPTIONS)
def _write(sizes, rho, history, h, k, sums, place):
    """An entry of rho' and its conjugate: sums over both halves, or of each half into its sector."""
    kept = sizes.kept
    for sector in range(sizes.sectors):
        if sizes.sectors == 1:
            re, im = sums[place] + sums[place + 1], sums[place + 2] + sums[place + 3]
        else:
            re, im = sums[place + sector], sums[place + 2 + sector]
        low, high = history + ((sector * kept + h) * kept + k) * 2, history + ((sector * kept + k) * kept + h) * 2
        rho[high], rho[high + 1] = re, -im
        rho[low], rho[low + 1] = re, im if h != k else im * 0


@njit(**OPTIONS)
def lift(sizes, a, chord, after, weights, out):
    """(Lambda + W) A: `after` Lambda for both values of D[0], (2, kept, kept, 2) flat; weights the diagonal of W."""
    n_h, kept, step = sizes.history, sizes.kept, sizes.groups * BOTH
    base, half = chord * sizes.row, kept * kept * 2
    for part in range(sizes.sectors):
        rows = part * kept
        for h in range(0, kept, 2):
            h1 = min(h + 1, kept - 1)
            for i in range(0, n_h, 2):
                for group in range(0, step, BOTH):
                    column = i * step + group
                    one, two = ((rows + h) * n_h) * step + column, ((rows + h1) * n_h) * step + column
                    w = load(weights, group // 2)
                    r00, i00 = mul(w, load(a, base + one)), mul(w, load(a, base + one + LANES))
                    r01, i01 = mul(w, load(a, base + one + step)), mul(w, load(a, base + one + step + LANES))
                    r10, i10 = mul(w, load(a, base + two)), mul(w, load(a, base + two + LANES))
                    r11, i11 = mul(w, load(a, base + two + step)), mul(w, load(a, base + two + step + LANES))
                    for k in range(kept):
                        right = base + ((rows + k) * n_h) * step + column
                        ar, ai = load(a, right), load(a, right + LANES)
                        br, bi = load(a, right + step), load(a, right + step + LANES)
                        x, y = (h * kept + k) * 2, (h1 * kept + k) * 2
                        xr, xi = split(after[x], after[half + x]), split(after[x + 1], after[half + x + 1])
                        yr, yi = split(after[y], after[half + y]), split(after[y + 1], after[half + y + 1])
                        r00, i00 = fms(ai, xi, fma(ar, xr, r00)), fma(ai, xr, fma(ar, xi, i00))
                        r01, i01 = fms(bi, xi, fma(br, xr, r01)), fma(bi, xr, fma(br, xi, i01))
                        r10, i10 = fms(ai, yi, fma(ar, yr, r10)), fma(ai, yr, fma(ar, yi, i10))
                        r11, i11 = fms(bi, yi, fma(br, yr, r11)), fma(bi, yr, fma(br, yi, i11))
                    store(out, one, r00)
                    store(out, one + LANES, i00)
                    store(out, one + step, r01)
                    store(out, one + step + LANES, i01)
                    store(out, two, r10)
                    store(out, two + LANES, i10)
                    store(out, two + step, r11)
                    store(out, two + step + LANES, i11)


@njit(**OPTIONS)
def back(sizes, a, chord, observed, after, sums):
    """Lambda one chord earlier, A^dagger O A, into `after`, for both values of D[0]: the same where it is reset."""
    kept, base = sizes.kept, chord * sizes.row
    half = kept * kept * 2
    for sector in range(sizes.sectors):
        for j in range(0, kept, 2):
            for k in range(0, j + 1, 2):
                j1, k1, s = min(j + 1, kept - 1), min(k + 1, kept - 1), sizes.sectors
                before, earlier = (k * s + sector, k1 * s + sector), (j * s + sector, j1 * s + sector)
                _dots(sizes, observed, 0, a, base, *before, *earlier, False, sums)
                start = sector * half
                for which in range(4):
                    left, right = k + which // 2, j + which % 2
                    if right < kept and left <= right:
                        _observe(after, start, kept, right, left, sums, 4 * which)
    if sizes.sectors == 1:
        for place in range(half):
            after[half + place] = after[place]


@njit(**OPTIONS)
def _observe(after, start, kept, j, k, sums, place):
    """Entry (j, k) of Lambda, sum conj(A_j) (O A)_k over both halves, and its conjugate."""
    re, im = sums[place] + sums[place + 1], sums[place + 2] + sums[place + 3]
    low, high = start + (j * kept + k) * 2, start + (k * kept + j) * 2
    after[high], after[high + 1] = re, -im
    after[low], after[low + 1] = re, im if j != k else im * 0
