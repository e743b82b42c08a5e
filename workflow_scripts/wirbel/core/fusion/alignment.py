"""Rigid alignment of a source to a scan, by the images that both were made on.

The result moves the source's affine, so its labels are resampled once, when they are brought to the scan's grid.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wirbel.core.geometry import Volume

SHRINK = (4, 2, 1)
SMOOTH_MM = (4.0, 2.0, 1.0)
"""From coarse to fine: voxels left out, and the width of the blur."""
BINS = 48
SAMPLED = 0.2
"""Share of the voxels that are compared."""
ITERATIONS = 150
SEED = 20
LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True)
class Alignment:
    """A rigid motion in the world.

    Attributes
    ----------
    motion : ndarray, shape (4, 4)
        RAS+ mm of the source -> RAS+ mm of the scan.
    similarity : float
        Mutual information afterwards (nats; larger is better).
    """

    motion: np.ndarray
    similarity: float

    def moved(self, volume: Volume) -> Volume:
        """Return a volume of the source where it lies in the scan's world."""
        return Volume(volume.data, self.motion @ volume.affine)

    @property
    def shift_mm(self) -> float:
        """How far the motion moves the world's origin."""
        return float(np.linalg.norm(self.motion[:3, 3]))


def align(scan: Volume, source: Volume) -> Alignment:
    """Find the rigid motion that brings a source's image onto a scan, by mutual information.

    It starts from the positions that both files state. Same images, same motion.

    Parameters
    ----------
    scan, source : Volume
        Intensities; any orientation, contrast and modality.

    References
    ----------
    Mattes et al., IEEE Trans Med Imaging 2003;22:120.
    """
    import SimpleITK as sitk  # takes a second to import

    fixed, moving = _as_itk(scan), _as_itk(source)
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(BINS)
    method.SetMetricSamplingStrategy(method.RANDOM)
    method.SetMetricSamplingPercentage(SAMPLED, SEED)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(1.0, 1e-3, ITERATIONS, 0.5, 1e-6)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel(list(SHRINK))
    method.SetSmoothingSigmasPerLevel(list(SMOOTH_MM))
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
    method.SetGlobalDefaultNumberOfThreads(1)  # more threads add up in another order
    middle = fixed.TransformContinuousIndexToPhysicalPoint(
        [(size - 1) / 2 for size in fixed.GetSize()]
    )
    start = sitk.Euler3DTransform()
    start.SetCenter(middle)
    method.SetInitialTransform(start, inPlace=True)
    method.Execute(fixed, moving)
    return Alignment(np.linalg.inv(_matrix(start)), -method.GetMetricValue())


def _matrix(transform) -> np.ndarray:
    """Return a rigid transform (scan -> source, LPS) as a matrix in RAS+."""
    rotation = np.reshape(transform.GetMatrix(), (3, 3))
    centre = np.array(transform.GetCenter())
    matrix = np.eye(4)
    matrix[:3, :3] = rotation
    matrix[:3, 3] = centre + np.array(transform.GetTranslation()) - rotation @ centre
    return LPS @ matrix @ LPS


def _as_itk(volume: Volume):
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(volume.data.astype(np.float32).transpose(2, 1, 0))
    affine = LPS @ volume.affine
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    image.SetSpacing(spacing.tolist())
    image.SetDirection((affine[:3, :3] / spacing).ravel().tolist())
    image.SetOrigin(affine[:3, 3].tolist())
    return image
