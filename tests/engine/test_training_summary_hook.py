"""What is said before the first step."""

from toy_training import run


def test_model_data_steps_and_batch_are_named(tmp_path):
    runner = run(tmp_path, custom_hooks=[{"type": "TrainingSummaryHook"}])
    log = next((tmp_path / runner.timestamp).glob("*.log")).read_text()
    assert "about to train" in log
    assert "model: ToyModel" in log
    assert "2 classes: disc, ring" in log
