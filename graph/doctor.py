"""``python -m graph.doctor``: the front door of the doctor, which is put together in ``doctor.py``."""

import sys

if __name__ == "__main__":
    # The one place in graph/ that looks outside: a command, never imported by the app (tests/test_house.py).
    import doctor

    sys.exit(doctor.main())
