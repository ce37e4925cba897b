"""What the foreign reader `emv` sees of the card in the first PC/SC reader, as JSON. Runs with the lab's `emv` alone.

``python lab/cards_emv.py``.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from typing import Any


def main() -> None:
    """Select and read every application as `emvtool appdata` does, and print what it holds."""
    tags = import_module("emv.protocol.data").Tag
    readers = import_module("smartcard.System").readers()[:1]
    card = import_module("emv.card").Card(readers[0].createConnection())
    seen: list[dict[str, Any]] = []
    for application in card.list_applications():
        card.select_application(application[tags.ADF_NAME])
        options = card.get_processing_options()
        data = card.get_application_data(options["AFL"])
        seen.append(
            {
                "aid": bytes(application[tags.ADF_NAME]).hex().upper(),
                "label": bytes(application[tags.APP_LABEL]).decode(),
                "aip": bytes(options["AIP"]).hex().upper(),
                "tags": {_tag(tag): _hex(value) for tag, value in data.items()},
            }
        )
    json.dump(seen, sys.stdout)


def _tag(tag: Any) -> str:
    return bytes([tag.id] if isinstance(tag.id, int) else tag.id).hex().upper()


def _hex(value: Any) -> str:
    """A primitive value; what is more than that (a DOL, parsed) is only said to be there."""
    try:
        return bytes(value).hex().upper()
    except (TypeError, ValueError):
        return "parsed"


if __name__ == "__main__":
    main()
