"""Waveforms as values: sensitivity, correction and baseline applied, electric potential in mV.

Sources: PS3.3 C.10.9 (Waveform), C.10.10 (Waveform Annotation), PS3.16 CID 3001 (ECG Leads).
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from sightline.care.documents._model import (
    Annotation,
    Channel,
    Group,
    NotAWaveform,
    Recording,
    TooManySamples,
    WaveformNotReadable,
)

MOST_GROUPS, MOST_CHANNELS, MOST_ANNOTATIONS, MOST_POINTS = 64, 512, 2000, 64
MOST_VALUES = 4_000_000
MOST_TEXT = 2000
# PS3.3 C.10.9.1.5: how samples are stored; the two of telephony (MB, AB) are not read.
SAMPLES = {
    "SB": "i1", "UB": "u1", "SS": "i2", "US": "u2", "SL": "i4", "UL": "u4", "SV": "i8", "UV": "u8",
}  # fmt: skip
MILLIVOLTS = {"uV": 1e-3, "mV": 1.0, "V": 1e3, "nV": 1e-6, "[V]": 1e3}
# PS3.16 CID 3001; MDC writes `2:61`, SCP-ECG `5.6.3-9-61`, and both count alike.
LEADS = {
    1: "I", 2: "II", 3: "V1", 4: "V2", 5: "V3", 6: "V4", 7: "V5", 8: "V6", 9: "V7", 11: "V3R", 12: "V4R",
    61: "III", 62: "aVR", 63: "aVL", 64: "aVF", 66: "V8", 67: "V9",
}  # fmt: skip
_SCHEMES = {"MDC": re.compile(r"^2:(\d{1,3})$"), "SCPECG": re.compile(r"^5\.6\.3-9-(\d{1,3})$")}
_NAMED = re.compile(r"\b(aV[RLF]|V[3-4]R|V[1-9]|I{1,3})\b", re.IGNORECASE)


def describe(ds: Dataset) -> Recording:
    """Return what a waveform object holds, without its samples.

    Raises
    ------
    NotAWaveform
        If it has no Waveform Sequence (5400,0100).
    """
    groups = tuple(_group(item, n) for n, item in enumerate(_groups(ds), 1))
    stated = _items(ds, "WaveformAnnotationSequence")
    rates = {group.number: group.frequency_hz for group in groups}
    said = tuple(_annotation(item, rates) for item in stated[:MOST_ANNOTATIONS])
    acquired = _text(ds, "AcquisitionDateTime") or _text(ds, "ContentDate") + _text(ds, "ContentTime")
    return Recording(acquired, groups, said, max(0, len(stated) - MOST_ANNOTATIONS))


def values_of(ds: Dataset, number: int, start: int = 0, count: int | None = None) -> NDArray[np.float32]:
    """Return samples of group `number`, counted from 1, as values.

    .. math:: v = s \\, \\text{sensitivity} \\, \\text{correction} + \\text{baseline}

    Parameters
    ----------
    ds : Dataset
        A waveform object.
    start, count : samples
        From where on and how many; all that follow when `count` is None.

    Returns
    -------
    array (channel, sample), mV or the channel's unit
        NaN where the object pads.

    Raises
    ------
    NotAWaveform
        If there is no such group.
    WaveformNotReadable
        If the samples are stored in a way that is not read here.
    TooManySamples
        If more than four million values are asked for at once.

    References
    ----------
    PS3.3 C.10.9.1.4.2 (sensitivity and its correction), C.10.9.1.4.3 (baseline), C.10.9.1.7 (padding).
    """
    groups = _groups(ds)
    if not 1 <= number <= len(groups):
        raise NotAWaveform(f"The object has {len(groups)} group(s) of channels, and no group {number}.")
    item = groups[number - 1]
    stored = _stored(item, little=_is_little(ds))
    stop = len(stored) if count is None else min(start + count, len(stored))
    part = stored[min(start, stop) : stop]
    if part.size > MOST_VALUES:
        most = MOST_VALUES // stored.shape[1]
        raise TooManySamples(f"Ask for at most {most} samples at a time with start and count.")
    values = part.T.astype(np.float64)
    padding = _padding(item, stored.dtype)
    if padding is not None:
        values[np.equal(part.T, padding)] = np.nan
    calibrations = [_calibration(channel) for channel in _items(item, "ChannelDefinitionSequence")]
    scales, baselines = (np.array([c[n] for c in calibrations])[:, np.newaxis] for n in (0, 1))
    calibrated: NDArray[np.float32] = (values * scales + baselines).astype(np.float32)
    return calibrated


def _groups(ds: Dataset) -> list[Dataset]:
    groups = _items(ds, "WaveformSequence")[:MOST_GROUPS]
    if not groups:
        raise NotAWaveform("The object holds no waveform.")
    return groups


def _group(item: Dataset, number: int) -> Group:
    channels = tuple(map(_channel, _items(item, "ChannelDefinitionSequence")[:MOST_CHANNELS]))
    problem, held = "", 0
    try:
        held = len(_stored(item, little=True))
    except WaveformNotReadable as error:
        problem = str(error)
    frequency = number_of(item, "SamplingFrequency") or 0.0
    if frequency <= 0:
        problem = problem or "The object states no sampling frequency, so the samples have no time."
    return Group(
        number=number,
        label=_text(item, "MultiplexGroupLabel"),
        originality=_text(item, "WaveformOriginality"),
        frequency_hz=max(frequency, 0.0),
        offset_ms=number_of(item, "MultiplexGroupTimeOffset") or 0.0,
        samples=held,
        stated_samples=int(number_of(item, "NumberOfWaveformSamples") or 0),
        channels=channels,
        problem=problem,
    )


def _stored(item: Dataset, *, little: bool) -> NDArray[Any]:
    """Return the stored samples (sample, channel); those that are not complete are left out."""
    kind = SAMPLES.get(_text(item, "WaveformSampleInterpretation"))
    channels = int(number_of(item, "NumberOfWaveformChannels") or 0)
    data = item.get("WaveformData")
    if kind is None:
        raise WaveformNotReadable("The samples are coded in a way that is not read here.")
    if int(number_of(item, "WaveformBitsAllocated") or 0) != 8 * int(kind[1]):
        raise WaveformNotReadable("The stated bits of a sample and the way it is coded do not agree.")
    if not isinstance(data, bytes) or not 1 <= channels <= MOST_CHANNELS:
        raise WaveformNotReadable(f"The group holds no samples of 1 to {MOST_CHANNELS} channels.")
    if len(_items(item, "ChannelDefinitionSequence")) != channels:
        raise WaveformNotReadable("The object does not define each of its channels.")
    stated = max(0, int(number_of(item, "NumberOfWaveformSamples") or 0))
    samples = min(stated, len(data) // (channels * int(kind[1])))
    order = "<" if little else ">"
    return np.frombuffer(data, order + kind, samples * channels).reshape(samples, channels)


def _is_little(ds: Dataset) -> bool:
    return ds.original_encoding[1] is not False


def _padding(item: Dataset, kind: np.dtype[Any]) -> Any:
    raw = item.get("WaveformPaddingValue")
    if not isinstance(raw, bytes) or len(raw) < kind.itemsize:
        return None
    return np.frombuffer(raw, kind, 1)[0]


def _channel(item: Dataset) -> Channel:
    code = _first(item, "ChannelSourceSequence")
    name = _text(item, "ChannelLabel") or _text(code, "CodeMeaning") or _text(code, "CodeValue")
    _, _, unit, calibrated = _calibration(item)
    return Channel(
        name=name,
        lead=lead_of(_text(code, "CodeValue"), _text(code, "CodingSchemeDesignator"), name),
        unit=unit,
        stated_unit=_unit(item, "ChannelSensitivityUnitsSequence"),
        calibrated=calibrated,
        skew_s=_skew_s(item),
        low_hz=number_of(item, "FilterLowFrequency"),
        high_hz=number_of(item, "FilterHighFrequency"),
        notch_hz=number_of(item, "NotchFilterFrequency"),
    )


def lead_of(code: str, scheme: str, name: str) -> str:
    """Return the short name of an ECG lead, by its code, else by its name; empty when it is none.

    >>> lead_of("2:62", "MDC", ""), lead_of("", "", "Lead I (Einthoven)"), lead_of("", "", "Blood pressure")
    ('aVR', 'I', '')
    """
    pattern = _SCHEMES.get(scheme)
    if pattern is not None and (match := pattern.match(code)):
        return LEADS.get(int(match[1]), "")
    found = _NAMED.search(name)
    if found is None or not (name.casefold().startswith("lead") or found.span() == (0, len(name))):
        return ""
    text = found[1].upper()
    return f"aV{text[2]}" if text.startswith("AV") else text


def _calibration(item: Dataset) -> tuple[float, float, str, bool]:
    """Return factor, offset, unit and whether it is stated; electric potential in mV."""
    sensitivity = number_of(item, "ChannelSensitivity")
    if sensitivity is None:
        return 1.0, 0.0, "1", False
    correction = number_of(item, "ChannelSensitivityCorrectionFactor")
    unit = _unit(item, "ChannelSensitivityUnitsSequence")
    to_mv = MILLIVOLTS.get(unit)
    factor = 1.0 if to_mv is None else to_mv
    scale = sensitivity * (1.0 if correction is None else correction) * factor
    return scale, (number_of(item, "ChannelBaseline") or 0.0) * factor, "mV" if to_mv else unit, True


def _skew_s(item: Dataset) -> float:
    """Return how much later than the group a channel was sampled, in s (PS3.3 C.10.9.1.4.1)."""
    return number_of(item, "ChannelTimeSkew") or 0.0


def _annotation(item: Dataset, rates: dict[int, float]) -> Annotation:
    group, channels = _referenced(item)
    value = number_of(item, "NumericValue")
    text = _text(item, "UnformattedTextValue") or _text(_first(item, "ConceptCodeSequence"), "CodeMeaning")
    return Annotation(
        name=_text(_first(item, "ConceptNameCodeSequence"), "CodeMeaning"),
        text=text,
        value=value,
        unit=_unit(item, "MeasurementUnitsCodeSequence"),
        group=group,
        channels=channels,
        at_s=tuple(_times(item, rates.get(group or 0, 0.0))),
        extent=_text(item, "TemporalRangeType"),
    )


def _referenced(item: Dataset) -> tuple[int | None, tuple[int, ...]]:
    """Return the group and channels that are spoken of; no channel stands for all (PS3.3 C.10.10.1.1)."""
    numbers = _numbers(item, "ReferencedWaveformChannels")
    if len(numbers) < 2:
        return None, ()
    group = int(numbers[0])
    pairs = list(zip(numbers[::2], numbers[1::2], strict=False))
    return group, tuple(int(c) for g, c in pairs if int(g) == group and c > 0)


def _times(item: Dataset, frequency_hz: float) -> Iterator[float]:
    positions = _numbers(item, "ReferencedSamplePositions")
    if positions and frequency_hz > 0:
        yield from ((position - 1) / frequency_hz for position in positions)  # the first sample is 1
        return
    yield from _numbers(item, "ReferencedTimeOffsets")


def _items(ds: Dataset, keyword: str) -> list[Dataset]:
    value = ds.get(keyword)
    return [] if value is None or isinstance(value, str | bytes) else list(value)


def _first(ds: Dataset, keyword: str) -> Dataset:
    return next(iter(_items(ds, keyword)), Dataset())


def _unit(item: Dataset, keyword: str) -> str:
    return _text(_first(item, keyword), "CodeValue")


def _text(ds: Dataset, keyword: str) -> str:
    value = ds.get(keyword)
    return "" if value is None else str(value).strip()[:MOST_TEXT]


def number_of(ds: Dataset, keyword: str) -> float | None:
    """Return the first number of an element; None when it has none, whatever it holds."""
    return next(iter(_numbers(ds, keyword)), None)


def _numbers(ds: Dataset, keyword: str) -> list[float]:
    """Return the numbers of an element; what is none is left out."""
    value = ds.get(keyword)
    if value is None or isinstance(value, bytes):
        return []
    found = []
    for one in value if isinstance(value, list | tuple) or hasattr(value, "append") else [value]:
        with suppress(TypeError, ValueError):
            if isfinite(number := float(one)):
                found.append(number)
    return found[:MOST_POINTS]
