"""The forms of a masked export's values: what each treatment leaves, and what it never does."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from exporter.model.redaction import effective_rules
from exporter.model.render import model_sha256
from exporter.published.masking import masking_differences
from exporter.sink.files import FileRecord
from exporter.sink.manifest import Manifest, Model, make_manifest
from exporter.sink.tally import Tally, new_tallies
from tests.support.manifests import METADATA, REDACTION

TOKEN = "0123456789abcdef" * 2
UUID = "01234567-89ab-cdef-0123-456789abcdef"
HEADER = "reason,table,column,key,value,references\n"


def masked(changes: dict[str, str] | None = None, accept: frozenset[str] = frozenset(), **tallies: Tally) -> Manifest:
    """The manifest of a masked export, with what was written of some entities."""
    rules = effective_rules(changes or {}, accept)
    redaction = replace(REDACTION, treatments={name: str(rule.treatment) for name, rule in rules.items()})
    metadata = replace(METADATA, model=Model(model_sha256()), redaction=redaction)
    return make_manifest(new_tallies() | tallies, metadata)


def differences(export: Path, path: str, content: str, manifest: Manifest | None = None) -> list[str]:
    """What is said of an export with this file alone."""
    (export / path).parent.mkdir(parents=True, exist_ok=True)
    (export / path).write_text(content, encoding="utf-8")
    return list(masking_differences(export, manifest or masked()))


@pytest.mark.parametrize(
    ("name", "allowed", "refused", "wrong"),
    [
        ("Customer", [f'7,"{TOKEN}","+91",', "8,,,"], ['9,"9876543210",,', f'9,"{TOKEN.upper()}",,', '9,"",,'],
         "phone_number: 3 values do not have the form of token:phone"),
        ("Customer", ['7,,"+91",', '7,,"",'], ['8,,"+919876543210",', '8,,"a@b",', f'8,,"{"é" * 21}",'],
         "country_code: 3 values do not have the form of category"),
        ("Guide", ['7,"Guide 7"' + "," * 9, "8" + "," * 10], ['9,"Guide 8"' + "," * 9, '9,"Asha"' + "," * 9],
         "full_name: 2 values do not have the form of label"),
        ("CustomerProfile", ["7,,1990-01-01,,,,,", "7,,-0043-01-01,,,,,", "7,,,,,,,"], ["7,,1990-02-01,,,,,"],
         "dob: 1 values do not have the form of year"),
        ("CustomerProfile", ["7" + "," * 7], ['7,"Asha"' + "," * 6, '7,""' + "," * 6],
         "name: 2 values do not have the form of drop"),
        ("SavedMessage", ['7,"[redacted]","",', "7,,,"], ['7,,"Dear Asha",'],
         "content: 1 values do not have the form of presence"),
        ("Session", [f'"{UUID}",,,,'], [f'"{TOKEN}",,,,'], "id: 1 values do not have the form of token:session"),
        ("Device", [f'"7:{TOKEN}",,,,,,'], ['"7:abc",,,,,,', f'"{TOKEN}",,,,,,'],
         "ID: 2 values do not have the form of token:device"),
        ("AuthUser-HAS_SESSION-Session", [f'7,"{UUID}"'], ['7,"x"'],
         "END_ID: 1 values do not have the form of token:session"),
        ("Session-ON_DEVICE-Device", [f'"{UUID}","7:{TOKEN}"'], [f'"{UUID}","7:x"'],
         "END_ID: 1 values do not have the form of token:device"),
        ("Notification-TO_USER-AuthUser", [f'"{UUID}",7,"CUSTOMER"'], [f'"{UUID}",7,"9876543210"'],
         "target_type: 1 values do not have the form of category"),
        ("Customer-HAS_AUTH-AuthUser", ['7,8,"anything that is constant is not masked, whatever it is"'], [], ""),
    ],
)  # fmt: skip
def test_forms(name: str, allowed: list[str], refused: list[str], wrong: str, tmp_path: Path) -> None:
    """What a treatment leaves is let through, a null, too; anything else is counted, and never said."""
    path = f"{'relationships' if '-' in name else 'nodes'}/{name}/part-0001.csv"
    assert differences(tmp_path, path, "".join(f"{line}\n" for line in allowed)) == []
    found = differences(tmp_path, path, "".join(f"{line}\n" for line in [*allowed, *refused]))
    assert found == ([f"{name}.{wrong}"] if refused else [])


@pytest.mark.parametrize(
    ("treatment", "allowed", "refused"),
    [
        ("month", "2026-11-01T00:00:00.000000Z", "2026-11-02T00:00:00.000000Z"),
        ("day", "2026-11-02T00:00:00Z", "2026-11-02T03:15:00.000000Z"),
        ("year", "2026-01-01T00:00:00.000000Z", "2026-01-01T00:00:00.000001Z"),
    ],
)
def test_parts_of_times(treatment: str, allowed: str, refused: str, tmp_path: Path) -> None:
    """Of a datetime, midnight is left."""
    manifest = masked({"Customer.created_at": treatment})
    path = "nodes/Customer/part-0001.csv"
    assert differences(tmp_path, path, f"7,,,{allowed}\n", manifest) == []
    sentence = f"Customer.created_at: 1 values do not have the form of {treatment}"
    assert differences(tmp_path, path, f"7,,,{allowed}\n7,,,{refused}\n", manifest) == [sentence]


def test_all_files_are_looked_at(tmp_path: Path) -> None:
    """An empty one, too; the sum is said."""
    for number in range(3):
        content = "" if number == 1 else '9,"9876543210",,\n'
        differences(tmp_path, f"nodes/Customer/part-000{number}.csv", content)
    assert list(masking_differences(tmp_path, masked())) == [
        "Customer.phone_number: 2 values do not have the form of token:phone"
    ]


def common(tmp_path: Path, cities: dict[str, int], **tally: Any) -> list[str]:
    """What is said of profiles in these cities."""
    lines = [f'{number},,,,"{city}",,,\n' for city, count in cities.items() for number in range(count)]
    file = FileRecord("nodes/CustomerProfile/part-0001.csv", len(lines), 0, "")
    manifest = masked(CustomerProfile=Tally(rows=len(lines), files=(file,), **tally))
    return differences(tmp_path, file.path, "".join(lines), manifest)


def test_common_values(tmp_path: Path) -> None:
    """Twenty rows have each; those that were left out or are outside of the window may have been among them."""
    assert common(tmp_path, {"Pune": 20, "Agra": 25}) == []
    assert common(tmp_path, {"Pune": 20, "Agra": 19, "Asha's": 1}) == [
        "CustomerProfile.birth_city: 20 values are not common"
    ]
    assert common(tmp_path, {"Pune": 20, "Agra": 18}, rejects=Counter(duplicate_id=1)) == [
        "CustomerProfile.birth_city: 18 values are not common"
    ]
    assert common(tmp_path, {"Pune": 20, "Agra": 18}, rejects=Counter(duplicate_id=1), outside=1) == []


@pytest.mark.parametrize(
    ("entity", "line", "sentence"),
    [
        ("nodes/Customer", "duplicate_id,customers.customer,customer_id,7,7,", ""),
        ("nodes/Customer", "malformed_id,customers.customer,customer_id,row 3,[redacted],", ""),
        ("nodes/Customer", "null_id,customers.customer,customer_id,,,", ""),
        ("nodes/Customer", "malformed_id,customers.customer,customer_id,row 3,Asha,",
         "Customer: 1 values are neither [redacted] nor keys"),
        ("nodes/Customer", "unrepresentable_value,customers.customer,phone_number,7,9876543210,",
         "Customer: 1 values are neither [redacted] nor keys"),
        ("nodes/Customer", "null_id,customers.customer,customer_id,Asha,,",
         "Customer: 1 keys do not only say which row it is"),
        ("nodes/Session", f"duplicate_id,auth.user_sessions,id,{UUID},[redacted],", ""),
        ("nodes/Session", f"duplicate_id,auth.user_sessions,id,{UUID},{UUID},",
         "Session: 1 values are neither [redacted] nor keys"),
        ("nodes/Device", f"duplicate_id,auth.user_devices,auth_user_id:device_id,7:{TOKEN},[redacted],", ""),
        ("nodes/Device", "duplicate_id,auth.user_devices,auth_user_id:device_id,7,7:phone,",
         "Device: 1 values are neither [redacted] nor keys"),
        ("relationships/Guide-HAS_SKILL-Skill", "dangling_end,guide.guide_skills,skill_id,7:8,8,Skill", ""),
        ("relationships/Guide-HAS_SKILL-Skill", 'dangling_end,guide.guide_skills,skill_id,"\t8\n:-0.5",8,Skill', ""),
        ("nodes/Role", "malformed_id,auth.auth_user_roles,id,Infinity,[redacted],", ""),
        ("nodes/Notification", f"duplicate_id,notifications.notifications,id,{UUID.upper()},[redacted],", ""),
        ("relationships/Guide-REFERRED_BY-Guide", "dangling_end,guide.guide_profile,referrer_code,7,1234,Guide",
         "Guide-REFERRED_BY-Guide: 1 values are neither [redacted] nor keys"),
    ],
)  # fmt: skip
def test_rejects(entity: str, line: str, sentence: str, tmp_path: Path) -> None:
    """A value is told only where it is a kept key; a row is named by a key or its place."""
    found = differences(tmp_path, f"rejects/{entity}/part-0001.csv", f"{HEADER}{line}\n")
    assert found == ([f"rejects of {sentence}"] if sentence else [])


def test_what_cannot_be_checked(tmp_path: Path) -> None:
    """Treatments that are not there, or not known; the properties of another model."""
    manifest = masked()
    assert manifest.redaction
    treatments = {**manifest.redaction.treatments, "Customer.shoe": "keep", "Lead.name": "shouted"}
    del treatments["Guide.full_name"]
    redaction = replace(manifest.redaction, treatments=treatments)
    assert list(masking_differences(tmp_path, replace(manifest, redaction=redaction))) == [
        "redaction: Customer.shoe is not a property of the model",
        "redaction: Guide.full_name has no treatment",
        "redaction: Lead.name has the unknown treatment shouted",
    ]
    assert list(masking_differences(tmp_path, replace(manifest, model=Model("0" * 64)))) == [
        "the masking cannot be checked: the graph model is that of version 1.0.0"
    ]
    assert list(masking_differences(tmp_path, replace(manifest, redaction=None))) == []
