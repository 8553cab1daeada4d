"""Waveforms as values."""

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset

from sightline.care.documents import NotAWaveform, TooManySamples, WaveformNotReadable
from sightline.care.documents import _waveforms as waveforms
from tests.care.documents.objects import AT, channel, code, group, pdf, two_leads, waveform

LEAD_I, AVR = ("Lead I", "2:1"), ("Lead aVR", "2:62")


def recording(*groups, annotations=()):
    ds = Dataset()
    ds.WaveformSequence = list(groups)
    ds.WaveformAnnotationSequence = list(annotations)
    ds.is_little_endian = True
    return ds


def samples_of(answer, channels):
    return np.frombuffer(answer.content, "<f4").reshape(channels, -1)


def test_values_are_stored_samples_times_sensitivity_and_correction_plus_baseline():
    leads = [
        channel(*LEAD_I, 2.5, ChannelSensitivityCorrectionFactor=1.1, ChannelBaseline=100),
        channel(*AVR, 0.5, "mV"),
    ]

    values = waveforms.values_of(recording(group(two_leads(), leads)), 1)

    stored = np.arange(-500, 500)
    assert values.dtype == np.float32
    np.testing.assert_allclose(values[0], (stored * 2.5 * 1.1 + 100) / 1000, rtol=1e-6)  # µV to mV
    np.testing.assert_allclose(values[1], -stored * 0.5)


def test_what_pads_has_no_value_and_a_pressure_keeps_its_unit():
    stored = two_leads()
    stored[3, 0] = 32767
    item = group(stored, [channel(*LEAD_I), channel("Aortic pressure", "2:1", 0.1, "mm[Hg]")])
    item.add_new(0x5400100A, "OW", np.int16(32767).tobytes())

    values = waveforms.values_of(recording(item), 1)
    [told] = waveforms.describe(recording(item)).groups

    assert np.isnan(values[0, 3])
    assert np.isfinite(values).sum() == values.size - 1
    assert [c.unit for c in told.channels] == ["mV", "mm[Hg]"]
    np.testing.assert_allclose(values[1, 0], 50)


def test_a_channel_without_sensitivity_is_told_as_not_calibrated():
    told = waveforms.describe(recording(group(two_leads(), [channel(*LEAD_I, None), channel(*AVR)])))

    assert [c.calibrated for c in told.groups[0].channels] == [False, True]
    assert told.groups[0].channels[0].unit == "1"


@pytest.mark.parametrize(
    ("value", "scheme", "name", "lead"),
    [
        ("2:1", "MDC", "", "I"),
        ("2:8", "MDC", "", "V6"),
        ("5.6.3-9-61", "SCPECG", "Lead III", "III"),
        ("x", "99LOCAL", "Lead V4R", "V4R"),
        ("x", "99LOCAL", "avf", "aVF"),
        ("x", "99LOCAL", "Respiration II", ""),
        ("2:999", "MDC", "Lead I", ""),
    ],
)
def test_leads_are_known_by_code_and_else_by_name(value, scheme, name, lead):
    assert waveforms.lead_of(value, scheme, name) == lead


def test_annotations_say_where_they_stand():
    beat, whole = Dataset(), Dataset()
    beat.ConceptNameCodeSequence = code("1", "SCPECG", "QRS onset")
    beat.ReferencedWaveformChannels, beat.TemporalRangeType = [1, 2], "POINT"
    beat.ReferencedSamplePositions = [501]
    whole.ConceptNameCodeSequence = code("2", "SCPECG", "PR interval")
    whole.NumericValue, whole.MeasurementUnitsCodeSequence = 161, code("ms", "UCUM", "milliseconds")

    ds = recording(group(two_leads(), [channel(*LEAD_I), channel(*AVR)]), annotations=[beat, whole])
    first, second = waveforms.describe(ds).annotations

    assert (first.group, first.channels, first.at_s, first.extent) == (1, (2,), (1.0,), "POINT")
    assert (second.name, second.value, second.unit, second.at_s) == ("PR interval", 161.0, "ms", ())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"WaveformSampleInterpretation": "MB"}, "coded in a way"),
        ({"WaveformBitsAllocated": 8}, "do not agree"),
        ({"NumberOfWaveformChannels": 65535}, "no samples"),
        ({"NumberOfWaveformChannels": 3}, "does not define"),
    ],
)
def test_samples_that_cannot_be_read_are_refused_and_told(change, words):
    ds = recording(group(two_leads(), [channel(*LEAD_I), channel(*AVR)], **change))

    assert words in waveforms.describe(ds).groups[0].problem
    with pytest.raises(WaveformNotReadable, match=words):
        waveforms.values_of(ds, 1)


def test_fewer_samples_than_stated_are_given_as_far_as_they_go():
    ds = recording(group(two_leads(), [channel(*LEAD_I), channel(*AVR)], NumberOfWaveformSamples=4_000_000))

    [told] = waveforms.describe(ds).groups

    assert (told.samples, told.stated_samples) == (1000, 4_000_000)
    assert waveforms.values_of(ds, 1).shape == (2, 1000)


def test_more_values_than_are_given_at_once_are_refused(monkeypatch):
    monkeypatch.setattr(waveforms, "MOST_VALUES", 100)
    ds = recording(group(two_leads(), [channel(*LEAD_I), channel(*AVR)]))

    with pytest.raises(TooManySamples, match="at most 50 samples"):
        waveforms.values_of(ds, 1)
    assert waveforms.values_of(ds, 1, 990, 50).shape == (2, 10)
    assert waveforms.values_of(ds, 1, 5000, 50).shape == (2, 0)


def test_nonsense_in_numbers_is_left_out():
    item = group(two_leads(), [channel(*LEAD_I), channel(*AVR)])
    item.SamplingFrequency = None
    broken = Dataset()
    broken.ReferencedWaveformChannels = [1]

    told = waveforms.describe(recording(item, annotations=[broken]))

    assert "no sampling frequency" in told.groups[0].problem
    assert told.annotations[0].group is None


def test_an_object_without_waveform_is_refused():
    with pytest.raises(NotAWaveform):
        waveforms.describe(Dataset())
    with pytest.raises(NotAWaveform, match="no group 2"):
        waveforms.values_of(recording(group(two_leads(), [channel(*LEAD_I), channel(*AVR)])), 2)


def test_the_values_are_those_that_pydicom_reads():
    ds = dcmread(get_testdata_file("waveform_ecg.dcm"))

    for number in (1, 2):
        expected = ds.waveform_array(number - 1).T / 1000  # µV
        np.testing.assert_allclose(waveforms.values_of(ds, number), expected, atol=1e-6)
    told = waveforms.describe(ds)
    leads = [c.lead for c in told.groups[0].channels]
    assert leads == ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"]
    assert told.annotations[0].text == "RITMO SINUSALE"


def test_a_real_ecg_obeys_einthoven(test_data):
    ds = dcmread(test_data / "ecg" / "anonymous_ecg.dcm")
    values = waveforms.values_of(ds, 1).astype(float)
    lead = {c.lead: row for c, row in zip(waveforms.describe(ds).groups[0].channels, values, strict=True)}

    np.testing.assert_allclose(lead["I"] + lead["III"], lead["II"], atol=0.006)
    np.testing.assert_allclose(lead["aVR"] + lead["aVL"] + lead["aVF"], 0, atol=0.006)


def test_a_waveform_is_described_and_its_samples_given(reader, put):
    put(waveform(group(two_leads(), [channel(*LEAD_I), channel(*AVR)])))

    told = reader.get(f"{AT}/waveform").json()
    part = reader.get(f"{AT}/waveform/1", params={"start": 10, "count": 5})

    assert [c["lead"] for c in told["groups"][0]["channels"]] == ["I", "aVR"]
    assert told["groups"][0]["frequency_hz"] == 500
    np.testing.assert_allclose(samples_of(part, 2)[0], (np.arange(-490, -485) * 2) / 1000, rtol=1e-6)
    assert reader.get(f"{AT}/waveform/2").json()["code"] == "not-a-waveform"
    assert reader.get(f"{AT}/waveform/0").status_code == 422


def test_what_is_no_waveform_is_not_found(reader, put):
    put(pdf())

    assert reader.get(f"{AT}/waveform").json()["code"] == "not-a-waveform"
