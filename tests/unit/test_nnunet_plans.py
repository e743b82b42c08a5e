"""plans.json of any nnU-Net v2 gives the network that nnU-Net itself would build, and nothing else."""

import copy
import warnings

import pytest
import torch
from support.models import tiny_models

from wirbel.learning.semantic.nnunet_plans import NETWORKS, build_network, read_plans
from wirbel.learning.semantic.semantic_plans import CONFIGURATION, dataset_json, plans_json

FIRST_FORMAT = {
    "patch_size": [32, 32, 8],
    "spacing": [1.0, 1.0, 3.0],
    "normalization_schemes": ["ZScoreNormalization"],
    "use_mask_for_norm": [False],
    "UNet_class_name": "PlainConvUNet",
    "UNet_base_num_features": 8,
    "unet_max_num_features": 20,
    "n_conv_per_stage_encoder": [2, 2, 2],
    "n_conv_per_stage_decoder": [2, 2],
    "num_pool_per_axis": [2, 2, 1],
    "pool_op_kernel_sizes": [[1, 1, 1], [2, 2, 1], [2, 2, 2]],
    "conv_kernel_sizes": [[3, 3, 1], [3, 3, 3], [3, 3, 3]],
}


def plans() -> dict:
    return plans_json(tiny_models.SEMANTIC, [32, 32, 4])


def shapes(network: torch.nn.Module) -> dict:
    return {name: tuple(value.shape) for name, value in network.state_dict().items()}


def nnunets_network(raw: dict) -> torch.nn.Module:
    from nnunetv2.utilities.get_network_from_plans import get_network_from_plans
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

    manager = PlansManager(copy.deepcopy(raw))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it deplores the first format
        chosen = manager.get_configuration(CONFIGURATION)
    heads = manager.get_label_manager(dataset_json(1)).num_segmentation_heads
    return get_network_from_plans(
        chosen.network_arch_class_name,
        chosen.network_arch_init_kwargs,
        chosen.network_arch_init_kwargs_req_import,
        1,
        heads,
        deep_supervision=False,
    )


def residual(raw: dict) -> dict:
    architecture = raw["configurations"][CONFIGURATION]["architecture"]
    architecture["network_class_name"] = (
        "dynamic_network_architectures.architectures.unet.ResidualEncoderUNet"
    )
    settings = architecture["arch_kwargs"]
    settings["n_blocks_per_stage"] = settings.pop("n_conv_per_stage")
    return raw


def first_format(kind: str = "PlainConvUNet") -> dict:
    configuration = {**FIRST_FORMAT, "UNet_class_name": kind}
    return {**plans(), "configurations": {CONFIGURATION: configuration}}


def inheriting() -> dict:
    raw = plans()
    both = raw["configurations"]
    both["base"] = {**both.pop(CONFIGURATION), "patch_size": [64, 64, 8]}
    both[CONFIGURATION] = {"inherits_from": "base", "patch_size": [32, 32, 4]}
    return raw


@pytest.mark.parametrize(
    "raw",
    [plans(), residual(plans()), inheriting(), first_format()],
    ids=["plain", "residual", "inheriting", "first format"],
)
def test_the_network_is_the_one_that_nnunet_builds(raw):
    ours = read_plans(raw, dataset_json(1), CONFIGURATION)
    network = build_network(ours)
    assert shapes(network) == shapes(nnunets_network(raw))
    with torch.no_grad():
        assert network(torch.zeros(1, 1, *ours.patch_size)).shape == (1, 15, *ours.patch_size)


def test_a_residual_network_of_the_first_format_is_built_too():
    """nnU-Net of today looks for it under a name that is gone."""
    ours = read_plans(first_format("ResidualEncoderUNet"), dataset_json(1), CONFIGURATION)
    assert ours.network is NETWORKS["ResidualEncoderUNet"]
    assert build_network(ours)(torch.zeros(1, 1, 32, 32, 8)).shape == (1, 15, 32, 32, 8)


def test_the_configuration_inherited_from_is_overridden():
    assert read_plans(inheriting(), dataset_json(1), CONFIGURATION).patch_size == (32, 32, 4)


def test_the_label_to_ignore_is_no_class():
    dataset = dataset_json(1)
    dataset["labels"]["ignore"] = 15
    assert read_plans(plans(), dataset, CONFIGURATION).heads == 15


def test_intensities_are_normalised_as_the_plans_say():
    raw = plans()
    raw["configurations"][CONFIGURATION]["normalization_schemes"] = ["CTNormalization"]
    raw["foreground_intensity_properties_per_channel"] = {
        "0": {"mean": 100, "std": 50, "percentile_00_5": 0, "percentile_99_5": 200}
    }
    scheme = read_plans(raw, dataset_json(1), CONFIGURATION).normalisation
    assert scheme.run(torch.tensor([[-5.0, 100.0, 150.0, 900.0]]).numpy()).tolist() == [
        [-2, 0, 1, 2]
    ]


def test_names_in_a_file_are_looked_up_not_imported():
    for key, name, known in (
        ("conv_op", "os.system", "torch.nn.modules.conv.Conv3d"),
        ("nonlin", "torch.nn.init", "torch.nn.LeakyReLU, .*"),
        ("norm_op", "pdb.Pdb", "torch.nn.InstanceNorm3d, .*"),
    ):
        raw = plans()
        raw["configurations"][CONFIGURATION]["architecture"]["arch_kwargs"][key] = name
        with pytest.raises(ValueError, match=f"'.*{key}': expected {known}, found '{name}'"):
            read_plans(raw, dataset_json(1), CONFIGURATION)


def refused(change) -> str:
    raw, dataset = plans(), dataset_json(1)
    change(raw["configurations"][CONFIGURATION], dataset)
    with pytest.raises(ValueError) as caught:
        read_plans(raw, dataset, CONFIGURATION)
    return str(caught.value)


def test_what_is_not_supported_is_refused_in_words():
    def primus(chosen, _):
        chosen["architecture"]["network_class_name"] = "somewhere.Primus"

    def two_channels(_, dataset):
        dataset["channel_names"] = {"0": "T1w", "1": "T2w"}

    def regions(_, dataset):
        dataset["labels"]["whole"] = [1, 2]

    def cascade(chosen, _):
        chosen["previous_stage"] = "3d_lowres"

    def histogram(chosen, _):
        chosen["normalization_schemes"] = ["HistogramNormalization"]

    assert "out of PlainConvUNet, ResidualEncoderUNet" in refused(primus)
    assert "the image as its only input" in refused(two_channels)
    assert "overlapping regions" in refused(regions)
    assert "output of another network" in refused(cascade)
    assert "expected a normalisation out of ZScoreNormalization" in refused(histogram)


def test_a_missing_configuration_is_named():
    with pytest.raises(ValueError, match="no configuration '2d' to use, found '3d_fullres'"):
        read_plans(plans(), dataset_json(1), "2d")
