"""Methods that documents describe: read, drafted, verified, compared, registered."""
