"""Where models come from: packages, files and the hub; how their weights are converted, and which are chosen."""
