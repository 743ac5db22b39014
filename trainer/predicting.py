"""A run's predictions: which are missing, made and kept in its folder, under each BN mode."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from nasrank.db.runs.folder import RunFolder, append_prediction
from nasrank.trainer.evaluation.evaluator import EvaluationOptions, calibration_batches, random_sample
from nasrank.trainer.evaluation.fast_evaluation import EvaluationMode, evaluate, images_at_once
from nasrank.trainer.images.run_images import RunImages
from nasrank.trainer.session import Session
from nasrank.trainer.stopping import Interrupted
from nasrank.trainer.training.training import Training


def missing_predictions(folder: RunFolder, wanted: Sequence[int], epoch: int, bn_mode: str) -> list[int]:
    """The architectures of `wanted` that the folder has no prediction for after `epoch` epochs."""
    predicted = {prediction.arch_id for prediction in folder.read_predictions(epoch, bn_mode)}
    return [arch_id for arch_id in wanted if arch_id not in predicted]


class Predictor:
    """Predicts architectures with the super-network as it stands, and goes on where it was cut short.

    Raises `NasrankError` where the training images are too few for `options`, or where those of the folder
    were others.
    """

    def __init__(
        self,
        folder: RunFolder,
        training: Training,
        images: RunImages,
        options: EvaluationOptions,
        session: Session,
    ) -> None:
        self._folder, self._training, self._valid_images = folder, training, images.valid
        self._options, self._session = options, session
        self._calibration: list[Tensor] = []
        batches = options.recalibration_batches if "recalibrated" in options.bn_modes else None
        if batches is not None:
            self._calibration = calibration_batches(
                images.train,
                batch_size=training.config.batch_size,
                batches=batches,
                seed=training.seed,
            )
        folder.claim_evaluation(precision=options.precision, recalibration_batches=batches)

    @property
    def is_due(self) -> bool:
        """Whether an evaluation during training belongs after the completed epochs."""
        every, epoch = self._options.every, self._training.epoch
        return every is not None and 0 < epoch < self._training.config.epochs and epoch % every == 0

    def predict_sample(self) -> None:
        """As `predict`, the part of the random sample that is followed during training."""
        self.predict(random_sample(self._training.config.operations, self._options.sample))

    def predict(self, wanted: Sequence[int]) -> None:
        """Predict what the folder lacks of `wanted` after the completed epochs, under each BN mode.

        Raises `Interrupted` once the run is asked to stop; what was predicted until then is kept.
        """
        for bn_mode in self._options.bn_modes:
            if missing_predictions(self._folder, wanted, self._training.epoch, bn_mode):
                self._predict(wanted, bn_mode)

    def _predict(self, wanted: Sequence[int], bn_mode: str) -> None:
        folder, epoch = self._folder, self._training.epoch
        with folder.partial_predictions(epoch, bn_mode) as (partial, file):
            done = {p.arch_id: p for p in [*folder.read_predictions(epoch, bn_mode), *partial]}
            missing = [arch_id for arch_id in wanted if arch_id not in done]
            for prediction in evaluate(
                self._training.supernet,
                missing,
                self._valid_images,
                EvaluationMode(
                    bn_mode, self._batch_size(bn_mode), self._calibration, self._options.precision
                ),
                self._session,
            ):
                append_prediction(file, prediction)
                done[prediction.arch_id] = prediction
        left = sum(arch_id not in done for arch_id in wanted)
        if left:
            raise Interrupted(
                f"interrupted with {left} of {len(wanted)} architectures left to predict, and saved; "
                "the same command continues"
            )
        folder.write_predictions(done.values(), epoch, bn_mode, self._about(bn_mode))

    def _batch_size(self, bn_mode: str) -> int:
        """For batch statistics as in training; otherwise it changes nothing but the speed."""
        if bn_mode == "batch":
            return self._training.config.batch_size
        options = self._options
        return images_at_once(
            self._training.supernet, self._valid_images, options.precision, options.memory_mb
        )

    def _about(self, bn_mode: str) -> dict[str, str]:
        """What else the predictions of a mode depend on."""
        about = {"precision": self._options.precision}
        match bn_mode:
            case "batch":
                about |= {"batch_size": str(self._batch_size(bn_mode))}
            case "recalibrated":
                about |= {
                    "recalibration_batches": str(self._options.recalibration_batches),
                    "batch_size": str(self._training.config.batch_size),
                }
        return about
