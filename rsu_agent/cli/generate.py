"""Makes generated files anew: `python -m rsu_agent.cli.generate [--check]`."""

from __future__ import annotations

import sys
from pathlib import Path

from rsu_agent.messages.generator.emit import emit, emit_data
from rsu_agent.messages.generator.from_pycrate import schema_text
from rsu_agent.messages.generator.parse import parse

MESSAGES = Path(__file__).parents[1] / "messages"
REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
MAN = Path(__file__).parents[2] / "deploy" / "man"
GRAFANA = Path(__file__).parents[2] / "deploy" / "grafana"
PROTOCOL = Path(__file__).parents[2] / "docs" / "protocol"
TOPS = {  # folder of the set -> its top-level types
    "csae53": ("MessageFrame",),
    "dsrc": ("SPAT", "MapData"),
    "etsi": ("CAM", "DENM"),
}


def codecs() -> dict[Path, str]:
    """Every schema and codec that is generated, and what it must hold."""
    schemas = {name: (MESSAGES / name / "schema.asn").read_text() for name in TOPS} | foreign_schemas()
    texts = {MESSAGES / name / "schema.asn": text for name, text in schemas.items()}
    for name, text in schemas.items():
        schema = parse(text)
        texts[MESSAGES / name / "schema.py"] = emit_data(schema)
        texts[MESSAGES / name / "codec.py"] = emit(schema, *TOPS[name])
    return texts


def pages() -> dict[Path, str]:
    """The reference pages. They need the whole command, and so codecs that are up to date."""
    from rsu_agent.cli.control_page import control_page
    from rsu_agent.cli.dashboard_panels import DASHBOARDS
    from rsu_agent.cli.dashboards import dashboard
    from rsu_agent.cli.main import add_other_verbs, app
    from rsu_agent.cli.man import pages as man_pages
    from rsu_agent.cli.metrics_page import metrics_page
    from rsu_agent.cli.protocol_pages import as_json, protocol_files
    from rsu_agent.cli.reference import cli_page, settings_page
    from rsu_agent.cli.topics_page import topics_page
    from rsu_agent.district.openapi import document as district_document
    from rsu_agent.runtime.control_openapi import document

    add_other_verbs()
    made = {REFERENCE / "cli.md": cli_page(app), REFERENCE / "settings.md": settings_page()}
    made |= {REFERENCE / "metrics.md": metrics_page(), REFERENCE / "topics.md": topics_page()}
    made |= {REFERENCE / "control-api.md": control_page(document())}
    made |= {REFERENCE / "control.openapi.json": as_json(document())}
    made |= {REFERENCE / "district.openapi.json": as_json(district_document())}
    made |= {MAN / name: text for name, text in man_pages(app).items()}
    made |= {GRAFANA / name: dashboard(of) for name, of in DASHBOARDS.items()}
    return made | protocol_files(PROTOCOL)


def generated() -> dict[Path, str]:
    """Every generated file and what it must hold."""
    return codecs() | pages()


def foreign_schemas() -> dict[str, str]:
    """The schemas that are read from the modules of ETSI as pycrate ships them."""
    from pycrate_asn1dir import ITS_CAM_2, ITS_DENM_3, ITS_IS

    road = [ITS_IS.DSRC.SPAT, ITS_IS.DSRC.MapData]
    facilities = [ITS_CAM_2.CAM_PDU_Descriptions.CAM, ITS_DENM_3.DENM_PDU_Descriptions.DENM]
    return {
        "dsrc": schema_text("DSRC", road, "SPAT and MAP of ISO/TS 19091 as ETSI TS 103 301 uses them."),
        "etsi": schema_text("Facilities", facilities, "CAM of EN 302 637-2 and DENM of EN 302 637-3."),
    }


def main() -> int:
    """Write the files, or with --check say which would change."""
    from rsu_agent.cli.catalogue import main as catalogue

    return max([_written(codecs()), _written(pages()), catalogue(check())])


def _written(texts: dict[Path, str]) -> int:
    stale = [(path, text) for path, text in texts.items() if not path.exists() or path.read_text() != text]
    for path, text in stale:
        verdict = "is out of date: make generate" if check() else "written"
        print(f"{path.name} of {path.parent.name}: {verdict}")
        if not check():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    return int(bool(stale) and check())


def check() -> bool:
    """Whether only to look."""
    return "--check" in sys.argv


if __name__ == "__main__":
    sys.exit(main())
