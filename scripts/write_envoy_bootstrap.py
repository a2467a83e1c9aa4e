"""Writes deploy/envoy.json: what Envoy in a container needs to find its control plane. All else comes over ADS.

Usage: python scripts/write_envoy_bootstrap.py [--check]
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from onenumbers_gateway.xds.bootstrap import build_bootstrap
from onenumbers_gateway.xds.settings import EdgeSettings

TARGET = Path(__file__).resolve().parent.parent / "deploy" / "envoy.json"


def bootstrap() -> str:
    """Returns the file's content: the gateway by its name in the network, administration in the container's /tmp."""
    settings = EdgeSettings.load(ads_address="gateway:5012")
    content = build_bootstrap(settings)
    content["admin"]["address"]["pipe"]["path"] = "/tmp/envoy-admin.sock"
    return json.dumps(content, indent=2) + "\n"


def main() -> int:
    """Writes the file, or with --check says whether it is as it should be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when the file differs")
    if parser.parse_args().check:
        if TARGET.read_text(encoding="utf-8") == bootstrap():
            return 0
        print(f"{TARGET.name} is out of date: run scripts/write_envoy_bootstrap.py", file=sys.stderr)
        return 1
    TARGET.write_text(bootstrap(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
