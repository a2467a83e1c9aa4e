"""The command line: runs the mesh, and calls it."""
