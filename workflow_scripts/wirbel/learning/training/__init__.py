"""What the trainings share: cases, targets, random changes, schedule and export."""
