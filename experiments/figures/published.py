"""Published numbers that figures show beside ours: those of Hertz & Tyrcha 2024, and of a seminar of Yoshino's."""

LOSSES = (0.1, 0.05, 0.03, 0.02, 0.01)  # Sec. IV: NLL values whose times were recorded
CRITICAL_WIDTHS = {1: 110.21, 2: 64.192, 5: 35.735}  # depth -> w_c at NLL .01, Sec. IV
ASYMPTOTES = {30: (0.1265, 0.52), 68: (0.002, 0.83), 90: (0.0035, 1.16)}  # d = 2, width -> (NLL_inf, gamma), Sec. III
EXPONENTS = {(1, 200): 1.04, (5, 70): 1.57}  # (d, w) -> gamma for NLL from .02 to .1, Sec. III
SHORT_TIME = 0.7  # exponent of Delta for tau << tau_w, +- .1, Sec. V
AGING_POWER = 0.66  # exponent of Delta for 1 < tau/tau_w < 6 at w = 30, tau_w = 80, Sec. VI
POWER_WINDOW, LOG_WINDOW = (1.0, 6.0), (10.0, 16.0)  # in tau/tau_w, Fig. 9
PUBLISHED_RATIO = 4e-4 / 300  # eta / p of the aging runs
SOURCE = "Hertz & Tyrcha 2024"

SEMINAR = "Yoshino, IPI seminar, 28 October 2021"
GLASS_TRANSITIONS = {1: 2.03, 2: 15.38}  # spin layer -> alpha_g on random data
GLASS_LAW = (2.7, 1.03)  # alpha_g ~ 2.7(3) exp(1.03(2) l)
