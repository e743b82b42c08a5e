"""Networks for trying the software only are known by name and by content, and a cluster refuses them."""

import shutil

from wirbel.io.maps.sidecar_entries import made_by
from wirbel.models.provenance import provenance_entry
from wirbel.models.registry import REGISTRY_FILE, find_model
from wirbel.models.toy import toy_kinds
from wirbel.study.checks.toy_weights import toy_refusal, toy_remark

BUILTIN = {"semantic": "builtin", "instance": "builtin"}
EMBEDDED = REGISTRY_FILE.parents[1] / "models" / "builtin"


def test_the_embedded_networks_are_toys_by_name_by_folder_and_as_a_copy(tmp_path):
    assert toy_kinds(BUILTIN) == ["semantic", "instance"]
    copy = shutil.copytree(EMBEDDED, tmp_path / "copy")
    assert toy_kinds({"semantic": str(EMBEDDED), "instance": str(copy)}) == ["semantic", "instance"]
    with open(copy / "instance" / "weights.safetensors", "ab") as weights:
        weights.write(b"trained further")
    assert toy_kinds({"semantic": "spineps-t2w", "instance": str(copy)}) == []
    assert toy_kinds({"semantic": str(tmp_path / "nowhere"), "instance": "no_such"}) == []


def test_one_toy_among_two_networks_is_enough(tmp_path):
    remark = toy_remark({"semantic": "spineps-t2w", "instance": "builtin"})
    assert remark.startswith("TOY WEIGHTS: builtin (instance) ")
    assert toy_remark({"semantic": "spineps-t2w", "instance": "spineps-t2w"}) == ""


def test_a_cluster_refuses_them_unless_told_otherwise():
    assert "allow_toy_weights=true" in toy_refusal(BUILTIN, on_cluster=True, allowed=False)
    assert toy_refusal(BUILTIN, on_cluster=True, allowed=True) == ""
    assert toy_refusal(BUILTIN, on_cluster=False, allowed=False) == ""


def test_the_sidecars_and_the_table_of_scans_say_so():
    models = {kind: ("builtin", find_model("builtin", kind)) for kind in BUILTIN}
    sidecar = provenance_entry(models, n4=True)
    assert sidecar["Models"]["semantic"]["ToyWeights"] is True
    generators = {"GeneratedBy": [{"Name": "wirbel", "Version": "1.2"}]}
    told = {"model": "builtin (toy weights)", "wirbel_version": "1.2"}
    assert made_by({**sidecar, **generators}) == told


def test_maps_of_other_networks_name_them_by_kind_and_maps_from_elsewhere_are_unknown():
    models = {"semantic": {"Name": "a"}, "instance": {"Name": "b"}}
    assert made_by({"Models": models})["model"] == "semantic: a, instance: b"
    assert made_by({}) == {"model": "unknown", "wirbel_version": "unknown"}
