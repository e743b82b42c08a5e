"""A data set whose scans are a few bytes each, for tests that look at names and lists only."""

from wirbel.manifests.batches import batch_file, read_batch


def put_scan(root, participant, session="", extra="", suffix="_T2w.nii.gz"):
    """Write one scan below `root`; return its path."""
    folder = root / participant / session / "anat"
    folder.mkdir(parents=True, exist_ok=True)
    name = "_".join(part for part in (participant, session, extra) if part) + suffix
    (folder / name).write_bytes(b"image")
    return folder / name


def members(output, batch):
    """Return the scans on a batch's list."""
    return [scan.scan_id for scan in read_batch(batch_file(output, batch))]
