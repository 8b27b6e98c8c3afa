"""python -m beyond_quota is the same as the command beyond-quota."""

from beyond_quota.cli import main

main()
