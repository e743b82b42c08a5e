"""Train the semantic network with nnU-Net v2's own trainer.

`WirbelTrainer` keeps nnU-Net's network, loss, data set and checkpoints, and replaces what does not
suit two processor cores: worker processes by one thread, slow 3D transforms by cheap ones, float32
by mixed precision, the fixed number of epochs by a budget of steps and minutes.
"""

from __future__ import annotations

import json
import math
import os
import time
from pathlib import Path

import numpy as np
import torch
from batchgeneratorsv2.transforms.utils.compose import ComposeTransforms
from batchgeneratorsv2.transforms.utils.deep_supervision_downsampling import (
    DownsampleSegForDSTransform,
)
from batchgeneratorsv2.transforms.utils.remove_label import RemoveLabelTansform
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

from wirbel.learning.checkpoints import (
    FINAL,
    LATEST,
    load_into,
    newest_of,
    read_pickled_checkpoint,
)
from wirbel.learning.parallel import sample_threads, usable_threads
from wirbel.learning.precision import (
    CHANNELS_LAST,
    choose_device,
    gradients_fail_in_bfloat16,
    quick_arithmetic,
)
from wirbel.learning.semantic.marginal import MarginalLoss, resolved
from wirbel.learning.semantic.nnunet_training import output_folder, train_with_nnunet
from wirbel.learning.semantic.patches import PatchLoader
from wirbel.learning.semantic.semantic_model import read_first_fold
from wirbel.learning.semantic.semantic_plans import CONFIGURATION, PLANS_NAME, TRAINER_NAME
from wirbel.learning.training.appearance import Appearance
from wirbel.learning.training.augmentation import BlankBorders, InPlaneAffine, SwapSides
from wirbel.learning.training.background import BackgroundBatches
from wirbel.learning.training.mixture import Mixture, probabilities, stored_targets
from wirbel.learning.training.schedule import learning_rate_factor
from wirbel.learning.training.training_cases import TrainingFolder
from wirbel.learning.training.training_settings import Budget


class WirbelTrainer(nnUNetTrainer):
    """nnU-Net's trainer within a budget; the axes of all patches are (P, I, R)."""

    budget = Budget()
    threads = 0

    def __init__(self, plans, configuration, fold, dataset_json, device):
        super().__init__(plans, configuration, fold, dataset_json, device)
        self.oversample_foreground_percent = 0.7
        self.probabilistic_oversampling = True
        self.num_iterations_per_epoch = self.budget.steps_per_epoch
        self.num_epochs = math.ceil(self.budget.steps / self.budget.steps_per_epoch)
        self.num_val_iterations_per_epoch = 8
        self.initial_lr = self.budget.learning_rate
        self.weight_decay = self.budget.weight_decay
        self.save_every = 1
        self.minutes_before = 0.0
        self.started = time.monotonic()
        self.step_in_epoch = 0
        self.pool = sample_threads(usable_threads(self.threads))
        self.logger.plot_progress_png = lambda folder: None  # seconds of drawing per epoch
        self.mixture = read_mixture(Path(self.preprocessed_dataset_folder_base))
        self.targets = stored_targets(self.mixture)
        plan = self.configuration_manager
        self.single_precision = gradients_fail_in_bfloat16(
            self.device, plan.patch_size, plan.pool_op_kernel_sizes
        )

    # ---- what nnU-Net lets a trainer choose

    def configure_optimizers(self):
        """Return AdamW; `train_step` sets the learning rate before every step."""
        optimizer = torch.optim.AdamW(
            self.network.parameters(), self.initial_lr, weight_decay=self.weight_decay
        )
        return optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: 1.0)

    def configure_rotation_dummyDA_mirroring_and_inital_patch_size(self):
        """Switch off mirroring at inference, because left and right have their own labels."""
        self.inference_allowed_mirroring_axes = None
        patch = np.array(self.configuration_manager.patch_size)
        margin = np.array([patch[0] // 8, patch[1] // 8, 0])
        return None, False, patch + 2 * margin, None

    def get_training_transforms(self, patch_size, *args, deep_supervision_scales=None, **kwargs):
        """Return the transforms of `wirbel.learning.training.augmentation`."""
        scales = args[1] if len(args) > 1 else deep_supervision_scales
        sides = SwapSides(self.targets.mirrored())
        transforms = [InPlaneAffine(patch_size), sides, Appearance()]
        transforms += [RemoveLabelTansform(-1, 0), BlankBorders()]
        if scales is not None:
            transforms.append(DownsampleSegForDSTransform(ds_scales=scales))
        return ComposeTransforms(transforms)

    def get_dataloaders(self):
        """Return training batches from a background thread, and the validation batches, the same in
        every epoch.
        """
        patch = self.configuration_manager.patch_size
        scales = self._get_deep_supervision_scales()
        _, _, initial_patch, _ = self.configure_rotation_dummyDA_mirroring_and_inital_patch_size()
        train, validation = self.get_tr_and_val_datasets()
        training = self._loader(
            train, initial_patch, self.get_training_transforms(patch, None, scales)
        )
        checking = self._loader(validation, patch, self.get_validation_transforms(scales))
        count = self.num_val_iterations_per_epoch
        kept = [self._make(checking, -1 - number) for number in range(count)]
        first = self.current_epoch * self.num_iterations_per_epoch
        batches = BackgroundBatches(lambda number: self._make(training, number), first)
        return batches, kept

    def _loader(self, dataset, initial_patch, transforms):
        return PatchLoader(
            dataset,
            self.batch_size,
            initial_patch,
            self.configuration_manager.patch_size,
            self.label_manager,
            oversample_foreground_percent=self.oversample_foreground_percent,
            sampling_probabilities=probabilities(self.mixture, dataset.identifiers),
            probabilistic_oversampling=self.probabilistic_oversampling,
            transforms=transforms,
        )

    def _build_loss(self):
        """Return nnU-Net's loss; samples with partial labels get the marginal one."""
        loss = super()._build_loss()
        if self.targets.unions:
            table = torch.from_numpy(self.targets.table()).to(self.device)
            loss.loss = MarginalLoss(table, loss.loss)
        return loss

    def _make(self, loader, number: int):
        """Make batch `number`, which depends only on the seed and the number."""
        seed = np.random.SeedSequence([self.budget.seed, number % 2**31]).generate_state(1)[0]
        np.random.seed(seed)  # nnU-Net's loader draws from the global state
        torch.manual_seed(int(seed))
        return loader.generate_train_batch()

    # ---- one step

    def share_used(self) -> float:
        """Return the fraction of the budget that is used up, 0 to 1."""
        steps = self.current_epoch * self.num_iterations_per_epoch + self.step_in_epoch
        share = steps / (self.num_epochs * self.num_iterations_per_epoch)
        if self.budget.max_minutes:
            share = max(share, self.minutes() / self.budget.max_minutes)
        return min(share, 1.0)

    def minutes(self) -> float:
        """Return the minutes of training so far, earlier runs included."""
        return self.minutes_before + (time.monotonic() - self.started) / 60

    def train_step(self, batch: dict) -> dict:
        """Do one optimiser step; on a CPU the samples of the batch are computed in parallel."""
        rate = learning_rate_factor(self.share_used(), self.budget.warm_up)
        for group in self.optimizer.param_groups:
            group["lr"] = self.initial_lr * rate
        self.step_in_epoch += 1
        if self.device.type == "cuda":
            return super().train_step(batch)
        numbers = range(len(batch["data"]))
        results = list(self.pool.map(lambda n: self._sample_gradients(batch, n), numbers))
        for parameter, *parts in zip(
            self.network.parameters(), *(gradients for _, gradients in results), strict=True
        ):
            known = [part for part in parts if part is not None]
            parameter.grad = sum(known) / len(numbers) if known else None
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 12)
        self.optimizer.step()
        return {"loss": np.mean([loss for loss, _ in results])}

    def _sample_gradients(self, batch: dict, number: int) -> tuple[float, tuple]:
        """Return the loss of one sample of the batch and the gradients of all parameters."""
        chosen = slice(number, number + 1)
        with quick_arithmetic(self.device, self.single_precision):
            output = self.network(batch["data"][chosen].contiguous(memory_format=CHANNELS_LAST))
        loss = self.loss([o.float() for o in output], [t[chosen] for t in batch["target"]])
        parameters = list(self.network.parameters())
        return float(loss.detach()), torch.autograd.grad(loss, parameters, allow_unused=True)

    def validation_step(self, batch: dict) -> dict:
        """Do nnU-Net's validation step, in mixed precision if the device supports it."""
        if self.targets.unions:
            return self._partial_validation_step(batch)
        if self.device.type == "cuda":
            return super().validation_step(batch)
        with quick_arithmetic(self.device, self.single_precision):
            data = batch["data"].contiguous(memory_format=CHANNELS_LAST)
            return super().validation_step({**batch, "data": data})

    def _partial_validation_step(self, batch: dict) -> dict:
        """Do a validation step in which a union counts as whichever of its structures was predicted."""
        data = batch["data"].to(self.device).contiguous(memory_format=CHANNELS_LAST)
        targets = [target.to(self.device) for target in batch["target"]]
        with quick_arithmetic(self.device, self.single_precision):
            outputs = [output.float() for output in self.network(data)]
        loss = self.loss(outputs, targets)
        predicted = outputs[0].argmax(1)
        truth = resolved(predicted, targets[0][:, 0].long(), self.loss.loss.table)
        classes = range(1, outputs[0].shape[1])
        both = [int(((predicted == c) & (truth == c)).sum()) for c in classes]
        mine = [int((predicted == c).sum()) for c in classes]
        theirs = [int((truth == c).sum()) for c in classes]
        counts = {"tp_hard": both, "fp_hard": np.subtract(mine, both)}
        counts["fn_hard"] = np.subtract(theirs, both)
        return {
            "loss": loss.detach().cpu().numpy(),
            **{k: np.array(v) for k, v in counts.items()},
        }

    def restore(self, checkpoint: dict) -> None:
        """Continue from a checkpoint that was read; nnU-Net 2.8's own method fails on a dictionary."""
        if not self.was_initialized:
            self.initialize()
        self.network.load_state_dict(checkpoint["network_weights"])
        self.optimizer.load_state_dict(checkpoint["optimizer_state"])
        self.current_epoch = checkpoint["current_epoch"]
        self._best_ema = checkpoint["_best_ema"]
        self.logger.load_checkpoint(checkpoint["logging"])
        self.minutes_before = checkpoint["minutes"]

    # ---- the loop

    def run_training(self):
        """Train until the budget is used up, starting from the latest checkpoint if there is one."""
        self.on_train_start()
        self.network.to(memory_format=CHANNELS_LAST)
        self.started = time.monotonic()
        try:
            while self.current_epoch < self.num_epochs and self.share_used() < 1:
                self._run_epoch()
        finally:
            self.dataloader_train.close()
        self.on_train_end()

    def _run_epoch(self) -> None:
        self.on_epoch_start()
        self.on_train_epoch_start()
        losses = self._train_one_epoch()
        self.on_train_epoch_end(losses)
        with torch.no_grad():
            self.on_validation_epoch_start()
            checks = list(self.pool.map(self.validation_step, self.dataloader_val))
            self.on_validation_epoch_end(checks)
        self.on_epoch_end()
        self._append_to_table()

    def _train_one_epoch(self) -> list[dict]:
        losses, self.step_in_epoch = [], 0
        while self.step_in_epoch < self.num_iterations_per_epoch and self.share_used() < 1:
            losses.append(self.train_step(next(self.dataloader_train)))
        self.step_in_epoch = 0
        return losses

    def on_train_epoch_start(self):
        """Start an epoch like nnU-Net, but without a schedule: the rate follows the budget."""
        self.network.train()
        self.logger.log("lrs", self.optimizer.param_groups[0]["lr"], self.current_epoch)

    def _append_to_table(self):
        """Add this epoch to losses.tsv, the record of the training for people."""
        path = Path(self.output_folder) / "losses.tsv"
        if not path.exists():
            path.write_text("epoch\tminutes\tlearning_rate\ttraining\tvalidation\tdice\n")
        names = ("train_losses", "val_losses", "mean_fg_dice")
        values = [float(self.logger.get_value(name, step=-1)) for name in names]
        rate = self.optimizer.param_groups[0]["lr"]
        row = [self.current_epoch, round(self.minutes(), 2), f"{rate:.2e}"]
        with path.open("a") as file:
            file.write("\t".join(map(str, row + [round(v, 4) for v in values])) + "\n")

    def save_checkpoint(self, filename: str) -> None:
        """Save like nnU-Net, but atomically and with the minutes used; there is no separate best
        checkpoint.
        """
        if filename.endswith("checkpoint_best.pth"):
            return
        temporary = filename + ".tmp"
        super().save_checkpoint(temporary)
        checkpoint = torch.load(temporary, map_location="cpu", weights_only=False)
        checkpoint["minutes"] = self.minutes()
        torch.save(checkpoint, temporary)
        os.replace(temporary, filename)

    def plot_network_architecture(self):
        """Do nothing: the plans describe the network."""

    def _save_debug_information(self):
        """Do nothing: host names do not belong in results."""


def train_semantic(
    folder: TrainingFolder, budget: Budget, device: str = "auto", threads: int = 0
) -> Path:
    """Train in this process, continuing an interrupted training; return the path of the final
    checkpoint.

    Parameters
    ----------
    folder : TrainingFolder
        The training cases, and where checkpoints go.
    budget : Budget
        How long and how to train.
    device : str
        "auto", "cpu" or "cuda".
    threads : int
        Threads on a CPU; 0 uses all available cores.
    """
    if budget.nnunet_trainer:
        partial = bool(stored_targets(read_mixture(folder.dataset)).unions)
        return train_with_nnunet(folder, budget.nnunet_trainer, partial, device, threads)
    os.environ.update(folder.environment())
    os.environ["nnUNet_compile"] = "false"
    output = output_folder(folder, TRAINER_NAME)
    if (output / FINAL).exists():
        return output / FINAL
    torch.manual_seed(budget.seed)
    WirbelTrainer.budget, WirbelTrainer.threads = budget, threads
    trainer = _build(folder, device)
    if (output / LATEST).exists():
        checkpoint = read_pickled_checkpoint(output / LATEST)
        trainer.restore(checkpoint)
    elif budget.start_from:
        load_into(trainer.network, read_first_fold(Path(budget.start_from)))
    trainer.run_training()
    return output / FINAL


def read_mixture(dataset: Path) -> dict:
    """Return the content of `mixture.json`; folders from before there were real cases have none."""
    path = dataset / "mixture.json"
    return json.loads(path.read_text()) if path.exists() else Mixture().stored([])


def newest_checkpoint(folder: TrainingFolder, trainer: str = "") -> Path:
    """Return the final checkpoint, or the latest of an unfinished training, of Wirbel's trainer or another one."""
    return newest_of(output_folder(folder, trainer or TRAINER_NAME))


def _build(folder: TrainingFolder, device: str) -> WirbelTrainer:
    plans = json.loads((folder.dataset / f"{PLANS_NAME}.json").read_text())
    dataset = json.loads((folder.dataset / "dataset.json").read_text())
    trainer = WirbelTrainer(
        {**plans, "continue_training": False}, CONFIGURATION, 0, dataset, choose_device(device)
    )
    trainer.initialize()
    return trainer
