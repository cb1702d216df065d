"""The ways to cut an image into blocks, one for each core."""

from collections.abc import Iterator

from spikeport.cores import Box, Cut


def image_cuts(shape: Box, padded: bool) -> Iterator[Cut]:
    """Channels, rows and columns halved over and over; fewest cores first.

    Of two with as many cores, the one with more channels and then more rows on a core comes first: a spike of a
    pixel then goes to fewer cores. `padded` is Loihi 2: columns come in powers of two, and channels or rows in
    unequal parts only where nothing else fits. This gives the blocks of lava-dl's pilotnet and yolo_kp logs.
    """
    channels, rows, columns = (sorted({-(-n // 2**k) for k in range(n.bit_length() + 1)}) for n in shape)
    if padded:
        columns = [2**k for k in range((shape[2] - 1).bit_length() + 1)]
    found = [Cut(shape, (c, y, x), padded) for c in channels for y in rows for x in columns]

    def order(cut: Cut) -> tuple[int, ...]:
        parts = cut.parts[:2]
        uneven = padded and any(n % p or p & (p - 1) for n, p in zip(shape, parts, strict=False))
        return int(uneven), cut.cores, -cut.block[0], -cut.block[1]

    return iter(sorted(found, key=order))
