"""What all servers of the mesh share: settings, logs, lifecycle, the pipeline around each call."""

import os

# gRPC reads this as it is imported, so the servers' packages import this one first. uvloop starts a process by a plain
# fork, after which gRPC's handlers run in the child; beside busy threads of gRPC they ended one child in twenty with
# SIGSEGV. Nothing here forks without exec, so none of them is needed.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")
