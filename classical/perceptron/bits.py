"""How weights and spins of machines are held in bits: compiled moves and plain ones, and what lays machines out, agree.

Compiled code has these numbers inside: they are among the sources that it is kept under.
"""

ONE = 1 << 16  # the weight 1: all weights are whole multiples of 2^-16
LARGEST = 8 * ONE
WORD = 64  # spins or patterns
CHUNK = 4  # spins that are looked up at once
ENTRIES = 1 << CHUNK  # of a table
