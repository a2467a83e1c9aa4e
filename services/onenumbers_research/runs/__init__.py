"""Long work as operations: started, stored, watched, cancelled, gone on with after a crash, scheduled."""
