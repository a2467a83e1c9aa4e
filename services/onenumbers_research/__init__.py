"""The research server: search by kind of source, and answers whose every sentence is tied to a passage."""
