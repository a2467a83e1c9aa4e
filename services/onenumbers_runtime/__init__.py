"""What all servers of the mesh share: settings, logs, lifecycle, the pipeline around each call."""
