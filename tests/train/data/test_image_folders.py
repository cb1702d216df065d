"""ImageNet's folders and CelebA's; Pillow, called here as torchvision calls it, is the oracle."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from spikeport.errors import FileError, InputError
from spikeport.train.data import Files, load_data
from spikeport.train.data.catalogue import ENTRIES

BILINEAR = Image.Resampling.BILINEAR


def picture(seed: int, width: int, height: int, mode: str = "RGB") -> Image.Image:
    coarse = np.random.default_rng(seed).integers(0, 256, (4, 5, 3)).astype(np.uint8)
    return Image.fromarray(coarse).resize((width, height), BILINEAR).convert(mode)


def planes(image: Image.Image) -> np.ndarray:
    return np.asarray(image).transpose(2, 0, 1)


def write_imagenet(root: Path) -> Path:
    """Two classes; the first image is wide, the second tall and grey."""
    for part in ("train", "val"):
        for label, wnid in enumerate(("n01440764", "n01443537")):
            folder = root / part / wnid
            folder.mkdir(parents=True)
            picture(label, 80, 50).save(folder / "ILSVRC_1.JPEG")
            picture(label, 40, 63, "L").save(folder / "ILSVRC_2.JPEG")
            (folder / "notes.txt").write_text("not an image")
    return root


def test_imagenet_is_the_middle_of_what_torchvision_resizes(tmp_path: Path) -> None:
    """For 28 the shorter side becomes 32: 80x50 becomes 51x32, 40x63 becomes 32x50."""
    data = load_data("imagenet", write_imagenet(tmp_path), size=28)
    assert (data.classes, data.shape, data.mean) == (2, (3, 28, 28), (124, 116, 104))
    assert data.train.labels.tolist() == data.test.labels.tolist() == [0, 0, 1, 1]
    wide = Image.open(tmp_path / "val/n01443537/ILSVRC_1.JPEG").convert("RGB").resize((51, 32), BILINEAR)
    tall = Image.open(tmp_path / "val/n01443537/ILSVRC_2.JPEG").convert("RGB").resize((32, 50), BILINEAR)
    found = data.test.images[2:]
    assert np.array_equal(found[0], planes(wide)[:, 2:30, 12:40])  # (51 - 28) / 2 = 11.5 is rounded to even
    assert np.array_equal(found[1], planes(tall)[:, 11:39, 2:30])


def test_imagenets_default_is_224_of_256(tmp_path: Path) -> None:
    data = load_data("imagenet", write_imagenet(tmp_path))
    assert data.shape == (3, 224, 224)
    whole = Image.open(tmp_path / "train/n01440764/ILSVRC_1.JPEG").convert("RGB").resize((409, 256), BILINEAR)
    assert np.array_equal(data.train.images[:1][0], planes(whole)[:, 16:240, 92:316])


def test_an_image_that_cannot_be_decoded_is_named_when_it_is_asked_for(tmp_path: Path) -> None:
    path = write_imagenet(tmp_path) / "train/n01440764/ILSVRC_1.JPEG"
    for raw in (b"", b"\xff\xd8 no JPEG", path.read_bytes()[:-200]):
        path.write_bytes(raw)
        images = load_data("imagenet", tmp_path).train.images
        with pytest.raises(FileError, match=r"ILSVRC_1.JPEG: is not an image that can be decoded"):
            images[:1]


def test_imagenets_folders_are_the_same_in_both_parts(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="does not hold imagenet; looked for train, imagenet/train"):
        load_data("imagenet", tmp_path)
    (write_imagenet(tmp_path) / "val/n99999999").mkdir()
    with pytest.raises(FileError, match=r"or the reverse \(n99999999\)"):
        load_data("imagenet", tmp_path)


def write_celeba(root: Path) -> Path:
    folder = root / "celeba"
    (folder / "img_align_celeba").mkdir(parents=True)
    for number in range(1, 5):
        picture(number, 178, 218).save(folder / f"img_align_celeba/{number:06}.jpg")
    (folder / "list_eval_partition.txt").write_text("000001.jpg 0\n000002.jpg 0\n000003.jpg 1\n000004.jpg 2\n")
    faces = "000001.jpg -1  1\n000002.jpg  1 -1\n000003.jpg  1  1\n000004.jpg  1 -1\n"
    (folder / "list_attr_celeba.txt").write_text("4\nMale Smiling \n" + faces)
    return folder


def test_celeba_is_cropped_and_resized(tmp_path: Path) -> None:
    """148 of 178x218: 15 from the left, 35 from the top."""
    folder = write_celeba(tmp_path)
    data = load_data("celeba", tmp_path)
    assert (data.classes, data.shape, len(data.train), len(data.test)) == (1, (3, 64, 64), 2, 1)
    assert (data.classes, data.shape) == (ENTRIES["celeba"].classes, ENTRIES["celeba"].shape)
    assert data.validation is not None and len(data.validation) == 1
    image = Image.open(folder / "img_align_celeba/000004.jpg").crop((15, 35, 163, 183)).resize((64, 64), BILINEAR)
    assert np.array_equal(data.test.images[:][0], planes(image))
    assert data.train.labels.tolist() == [0, 0]
    assert load_data("celeba", tmp_path, size=32).shape == (3, 32, 32)


def test_celebas_labels_are_an_attribute(tmp_path: Path) -> None:
    write_celeba(tmp_path)
    data = load_data("celeba", tmp_path, attribute="Smiling")
    assert data.classes == 2
    assert data.train.labels.tolist() == [1, 0]
    assert data.validation is not None and data.validation.labels.tolist() == [1]
    with pytest.raises(InputError, match=r"attribute \(Bald\) is not one of Male, Smiling"):
        load_data("celeba", tmp_path, attribute="Bald")


def test_celebas_tables_are_checked(tmp_path: Path) -> None:
    folder = write_celeba(tmp_path)
    (folder / "list_eval_partition.txt").write_text("000001.jpg 0\n000002.jpg\n")
    with pytest.raises(FileError, match=r"list_eval_partition.txt, line 2: columns \(1\) are not 2"):
        load_data("celeba", tmp_path)
    (folder / "list_eval_partition.txt").write_text("000001.jpg 0\n000009.jpg 1\n000004.jpg 2\n")
    with pytest.raises(FileError, match=r"names an image without attributes \(000009.jpg\)"):
        load_data("celeba", tmp_path, attribute="Male")
    data = load_data("celeba", tmp_path)
    assert data.validation is not None
    with pytest.raises(FileError, match="000009.jpg"):
        data.validation.images[:]
    (folder / "list_eval_partition.txt").unlink()
    with pytest.raises(FileError, match=r"list_eval_partition.txt: cannot be read"):
        load_data("celeba", tmp_path)


def test_files_are_read_when_they_are_asked_for(tmp_path: Path) -> None:
    data = load_data("imagenet", write_imagenet(tmp_path), size=28)
    assert isinstance(data.train.images, Files)
    assert not isinstance(load_data("imagenet", tmp_path, size=28, in_memory=True).train.images, Files)
    for path in data.train.images.paths:
        path.unlink()
    with pytest.raises(FileError, match="is not an image"):
        data.train.images[:1]
