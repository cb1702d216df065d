"""Augmentations of integer images, the same for a sample whoever computes them."""

from spikeport.train.augment.augmentation import STEPS as STEPS
from spikeport.train.augment.augmentation import Augmentation as Augmentation
from spikeport.train.augment.augmentation import parse_augmentation as parse_augmentation
