"""How a service that runs for months takes memory from the system, and gives it back."""

import ctypes
from contextlib import suppress

# glibc's own choice is made for programs that end: up to eight heaps for each core, none of which shrinks while anything
# lies at its end, and a size from which a block gets pages of its own that grows with what was once freed. Hours of
# posts, each as small or large as people write them, leave holes in all of them (benchmarks/soak.py).
_HEAPS, _OWN_PAGES, _GIVE_BACK = -8, -3, -1  # M_ARENA_MAX, M_MMAP_THRESHOLD, M_TRIM_THRESHOLD of malloc.h
_CHOSEN = {_HEAPS: 2, _OWN_PAGES: 64 * 1024, _GIVE_BACK: 128 * 1024}


def stay_small() -> bool:
    """Have the C library keep few heaps, and give back what is free; False where it takes no such wishes, as musl's."""
    with suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        granted = [mallopt(wish, value) for wish, value in _CHOSEN.items()]  # each is asked, whatever came of another
        return all(granted)
    return False
