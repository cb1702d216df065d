"""Records come back as they were; the log has a row for each epoch and a column for each figure."""

import csv
import json
from pathlib import Path

from spikeport.train import ChipCheck, Epoch
from spikeport.train.loop.history import LayerFigures
from spikeport.train.loop.log import as_csv, write_logs

LAYERS = (LayerFigures("0", 0.1, 1.0, 0.5, 0.4), LayerFigures("3", 0.3, 0.9, 0.6, 0.2))
EPOCHS = [
    Epoch(1, 0.5, 0.25, 0.1, 1234.5, 1e-3, LAYERS, None, None, 2.0),
    Epoch(2, 0.25, 0.5, 0.0, 1000.0, 5e-4, LAYERS, 0.625, ChipCheck(1, 4, 0.5), 3.0),
]


def test_a_record_comes_back_as_it_was() -> None:
    for epoch in EPOCHS:
        found = Epoch.from_json(json.loads(json.dumps(epoch.to_json())))
        assert found == epoch
        assert found.seconds == epoch.seconds


def test_the_rate_is_the_mean_of_the_layers() -> None:
    assert EPOCHS[0].rate == 0.2
    assert Epoch(1, 0.0, 0.0).rate == 0.0


def test_the_log_has_a_row_for_each_epoch() -> None:
    first, second = csv.DictReader(as_csv(EPOCHS).splitlines())
    assert (first["epoch"], first["loss"], first["selected"], first["violations"]) == ("1", "0.5", "", "")
    assert (second["selected"], second["violations"], second["cores"], second["v_share"]) == ("0.625", "1", "4", "0.5")
    assert (second["3/rate"], second["3/gain"], second["0/keep"], second["0/threshold"]) == ("0.3", "0.9", "0.5", "0.4")
    assert list(second)[-1] == "seconds" and second["seconds"] == "3.0"
    assert as_csv([]) == ""


def test_parts_of_a_loss_are_columns() -> None:
    epoch = Epoch(1, 0.5, selected=0.375, parts={"reconstruction": 0.25, "mmd": 0.125})
    (row,) = csv.DictReader(as_csv([epoch]).splitlines())
    assert (row["loss"], row["loss/reconstruction"], row["loss/mmd"], row["accuracy"]) == ("0.5", "0.25", "0.125", "")
    assert Epoch.from_json(json.loads(json.dumps(epoch.to_json()))) == epoch


def test_the_history_leaves_out_what_no_two_runs_share(tmp_path: Path) -> None:
    write_logs(tmp_path, EPOCHS)
    found = json.loads((tmp_path / "history.json").read_text())
    assert [epoch["number"] for epoch in found] == [1, 2]
    assert all("seconds" not in epoch for epoch in found)
    assert found[1]["check"] == {"violations": 1, "cores": 4, "v_share": 0.5}
    assert (tmp_path / "log.csv").read_text() == as_csv(EPOCHS)
