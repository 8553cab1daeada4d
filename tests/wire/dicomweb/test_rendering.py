"""Pictures: the pipeline of PS3.3 C.11 and the parameters of PS3.18 8.3.5, against values by hand."""

import io

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import JPEG2000Lossless, RLELossless

from tests.wire.dicomweb.conftest import parts_of

SERIES = "/studies/1.2.3/series/1.2.3.1"
INSTANCE = f"{SERIES}/instances/1.2.3.1.1"
PNG = {"Accept": "image/png"}
RAMP = np.arange(16, dtype="u2").reshape(4, 4)


def shown(client, query="", path=f"{INSTANCE}/rendered"):
    response = client.get(f"{path}{query}", headers=PNG)
    assert response.status_code == 200, response.text
    return np.asarray(Image.open(io.BytesIO(response.content)))


def item(**attributes):
    ds = Dataset()
    for name, value in attributes.items():
        setattr(ds, name, value)
    return Sequence([ds])


def lut(first, data, bits=8):
    ds = Dataset()
    ds.add_new(0x00283002, "US", [len(data), first, bits])
    ds.add_new(0x00283006, "US", list(data))
    return Sequence([ds])


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?window=7.5,16", lambda v: (v - 7) / 15 + 0.5),  # C.11.2.1.2.1
        ("?window=7.5,16,linear", lambda v: (v - 7) / 15 + 0.5),
        ("?window=8,16,linear-exact", lambda v: (v - 8) / 16 + 0.5),  # C.11.2.1.3.2
        ("?window=8,16,sigmoid", lambda v: 1 / (1 + np.exp(-4 * (v - 8) / 16))),  # C.11.2.1.3.1
        ("", lambda v: (v - 7) / 15 + 0.5),  # the object's own window
    ],
)
def test_a_window_is_applied_by_the_function_that_is_named(client, put, query, expected):
    put(RAMP, WindowCenter=7.5, WindowWidth=16)

    tones = np.clip(expected(RAMP.astype(float)), 0, 1) * 255

    assert np.abs(shown(client, query).astype(float) - tones).max() <= 1


def test_the_window_applies_to_rescaled_values(client, put):
    put(RAMP, RescaleSlope=2, RescaleIntercept=-10)

    assert shown(client, "?window=0.5,2")[0].tolist() == [0, 0, 0, 0]
    assert shown(client, "?window=0.5,2")[2].tolist() == [255] * 4


@pytest.mark.parametrize(
    ("overrides", "first", "last"),
    [
        ({"PhotometricInterpretation": "MONOCHROME1", "WindowCenter": 8, "WindowWidth": 16}, 255, 0),
        ({"VOILUTSequence": lut(0, range(255, 239, -1))}, 255, 240),
        (
            {"ModalityLUTSequence": lut(0, range(100, 116), 16), "WindowCenter": 108, "WindowWidth": 16},
            0,
            255,
        ),
        ({}, 0, 255),  # no window at all: everything there is
    ],
)
def test_tones_follow_what_the_object_says(client, put, overrides, first, last):
    put(RAMP, **overrides)

    tones = shown(client)

    assert abs(int(tones[0, 0]) - first) <= 1
    assert abs(int(tones[-1, -1]) - last) <= 1


def test_signed_and_twelve_bit_values_are_read_as_they_are(client, put):
    put(np.array([[-2048, -1], [0, 2047]], "i2"), BitsStored=12, HighBit=11)

    assert shown(client, "?window=0,1").tolist() == [[0, 0], [255, 255]]


def test_padding_does_not_darken_the_picture(client, put):
    pixels = np.full((4, 4), 1000, "u2")
    pixels[0], pixels[1, 0] = 0, 1100
    put(pixels, PixelPaddingValue=("US", 0))

    assert shown(client)[3, 3] == 0
    assert shown(client)[1, 0] == 255


def test_floating_point_pixels_are_stretched_to_what_is_there(client, put):
    ds = put(np.zeros((2, 2), "f4"), SOPInstanceUID="1.2.3.1.5")
    del ds.PixelData, ds.BitsStored, ds.HighBit, ds.PixelRepresentation
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = "1.2.3.1.1"
    ds.FloatPixelData = np.array([[-1.5, 0], [0, 1.5]], "f4").tobytes()
    body = io.BytesIO()
    ds.save_as(body)
    head = {"Content-Type": "application/dicom"}
    assert client.post("/studies", content=body.getvalue(), headers=head).status_code == 200

    assert shown(client).tolist() == [[0, 127], [127, 255]]


def test_single_bits_are_black_and_white(client, put):
    put(BitsAllocated=1, BitsStored=1, HighBit=0, Rows=2, Columns=8, PixelData=b"\x0f\x80")

    assert shown(client).tolist() == [[255] * 4 + [0] * 4, [0] * 7 + [255]]


def test_colour_is_rgb_whatever_it_was(client, put):
    colours = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [9, 9, 9]]], "u1")
    put(colours, SamplesPerPixel=3, PhotometricInterpretation="RGB", PlanarConfiguration=0)

    assert shown(client).tolist() == colours.tolist()


def test_luminance_and_chrominance_become_rgb(client, put):
    put(
        np.full((2, 2, 3), (76, 85, 255), "u1"), SamplesPerPixel=3, PhotometricInterpretation="YBR_FULL",
        PlanarConfiguration=0,
    )  # fmt: skip

    assert np.abs(shown(client).astype(int) - (254, 0, 0)).max() <= 2


def test_a_palette_gives_its_colours(client, put):
    tables = {
        f"{colour}PaletteColorLookupTable{part}": value
        for colour, tone in (("Red", 255), ("Green", 0), ("Blue", 128))
        for part, value in (("Descriptor", ("US", [2, 0, 8])), ("Data", bytes([0, tone])))
    }
    put(np.array([[0, 1], [1, 0]], "u1"), PhotometricInterpretation="PALETTE COLOR", **tables)

    assert shown(client)[0].tolist() == [[0, 0, 0], [255, 0, 128]]


def test_each_frame_of_an_enhanced_object_has_its_own_rescale_and_window(client, put):
    frames = np.stack([RAMP, RAMP])
    groups = [
        item(
            PixelValueTransformationSequence=item(RescaleSlope=slope, RescaleIntercept=0, RescaleType="US"),
            FrameVOILUTSequence=item(WindowCenter=8 * slope, WindowWidth=16 * slope),
        )[0]
        for slope in (1, 100)
    ]
    put(frames, NumberOfFrames=2, PerFrameFunctionalGroupsSequence=Sequence(groups))

    first, second = (shown(client, path=f"{INSTANCE}/frames/{n}/rendered") for n in (1, 2))

    assert (first[0, 0], first[-1, -1], second[-1, -1]) == (0, 255, 239)
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless])
def test_compressed_objects_look_as_others_do(client, put, syntax):
    put(RAMP.repeat(8, 0).repeat(8, 1), syntax=syntax, WindowCenter=8, WindowWidth=16)

    assert (shown(client)[0, 0], shown(client)[-1, -1]) == (0, 255)


@pytest.mark.parametrize(
    ("viewport", "expected"),
    [
        ("8,8", (8, 8)),
        ("2,4", (2, 2)),
        ("4,4,0,0,2,2", [[0, 1], [4, 5]]),
        ("4,4,2,2,,", [[10, 11], [14, 15]]),
        ("4,4,,,-4,4", [[3, 2, 1, 0], [7, 6, 5, 4], [11, 10, 9, 8], [15, 14, 13, 12]]),
        ("4,4,0,0,4,-4", [[12, 13, 14, 15], [8, 9, 10, 11], [4, 5, 6, 7], [0, 1, 2, 3]]),
    ],
)
def test_a_viewport_crops_mirrors_and_scales(client, put, viewport, expected):
    put(RAMP)

    tones = shown(client, f"?window=128,256,linear-exact&viewport={viewport}")

    if isinstance(expected, tuple):
        assert tones.shape == expected
    else:
        expected = (
            np.kron(np.array(expected), np.ones((4 // len(expected),) * 2)) if len(expected) < 4 else expected
        )
        assert np.abs(tones.astype(int) - np.array(expected)).max() <= 4


@pytest.mark.parametrize(
    "query",
    [
        "window=1", "window=a,b", "window=1,0", "window=1,nan", "window=1,2,cubic", "quality=0", "quality=x",
        "viewport=0,0", "viewport=1", "viewport=1,2,3", "viewport=99999999,1", "viewport=4,4,9,9,1,1",
        "viewport=4,4,0,0,0,1", "annotation=diagnosis", "iccprofile=mine",
    ],
)  # fmt: skip
def test_a_parameter_that_cannot_be_understood_is_400(client, held, query):
    viewport_outside = query.startswith("viewport=4,4,9")
    path = f"{INSTANCE}/rendered?{query.replace('9,9', '99,99') if viewport_outside else query}"

    assert client.get(path, headers=PNG).status_code == 400


def test_quality_makes_a_picture_smaller(client, put):
    noise = np.random.default_rng(1).integers(0, 4096, (64, 64)).astype("u2")
    put(noise)

    best, worst = (client.get(f"{INSTANCE}/rendered?quality={q}") for q in (100, 1))

    assert best.headers["content-type"] == worst.headers["content-type"] == "image/jpeg"
    assert len(worst.content) * 2 < len(best.content)


@pytest.mark.parametrize("kind", ["image/jpeg", "image/png", "image/gif", "image/jp2"])
def test_every_media_type_is_what_it_says(client, held, kind):
    response = client.get(f"{INSTANCE}/rendered", headers={"Accept": kind})

    picture = Image.open(io.BytesIO(response.content))
    assert (response.headers["content-type"], picture.get_format_mimetype()) == (kind, kind)
    assert picture.size == (16, 16)


def test_a_film_moves_as_a_gif_at_its_own_speed(client, put):
    frames = np.stack([np.full((4, 4), n * 10, "u2") for n in range(3)])
    put(frames, NumberOfFrames=3, FrameTime=40, WindowCenter=10, WindowWidth=20)

    film = Image.open(io.BytesIO(client.get(f"{INSTANCE}/rendered", headers={"Accept": "image/gif"}).content))
    still = Image.open(io.BytesIO(client.get(f"{INSTANCE}/rendered").content))

    assert (film.n_frames, film.info["duration"], getattr(still, "n_frames", 1)) == (3, 40, 1)


def test_a_series_is_rendered_whole_in_parts_or_by_its_middle(client, held):
    parts = parts_of(
        client.get(f"{SERIES}/rendered", headers={"Accept": 'multipart/related; type="image/png"'})
    )
    one = client.get(f"{SERIES}/rendered", headers={"Accept": "image/*"})

    assert [kind for kind, _ in parts] == ["image/png"] * 3
    assert one.headers["content-type"] == "image/jpeg"


@pytest.mark.parametrize("path", [INSTANCE, f"{INSTANCE}/frames/1", SERIES, "/studies/1.2.3"])
def test_a_thumbnail_is_small_at_every_level(client, put, path):
    put(np.zeros((600, 300), "u2"))

    picture = Image.open(io.BytesIO(client.get(f"{path}/thumbnail").content))

    assert picture.size == (128, 256)


def test_the_patient_is_on_the_picture_only_when_asked_for(client, put):
    put(np.zeros((300, 300), "u2"), WindowCenter=100, WindowWidth=200)

    plain = shown(client)
    named, technique = shown(client, "?annotation=patient"), shown(client, "?annotation=technique")

    assert plain.max() == 0
    assert named[:100, :150].max() > 200 and named[:, 150:].max() == 0
    assert technique[:150, 150:].max() > 200 and technique[:, :100].max() == 0


def test_a_colour_profile_is_put_in_when_asked_for(client, held):
    profiled = Image.open(io.BytesIO(client.get(f"{INSTANCE}/rendered?iccprofile=srgb").content))
    plain = Image.open(io.BytesIO(client.get(f"{INSTANCE}/rendered").content))

    assert len(profiled.info["icc_profile"]) > 100
    assert "icc_profile" not in plain.info


def test_a_stream_that_states_another_size_than_its_header_is_never_decoded(client, put, take):
    ds = put(RAMP.repeat(8, 0).repeat(8, 1), syntax=JPEG2000Lossless)
    frame = bytearray(pydicom.encaps.get_frame(ds.PixelData, 0))
    frame[8:16] = b"\x00\x00\xff\xff\x00\x00\xff\xff"  # Xsiz, Ysiz
    ds.PixelData = pydicom.encaps.encapsulate([bytes(frame)])
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = "1.2.3.1.8"
    body = io.BytesIO()
    ds.save_as(body)
    take(body.getvalue())
    hostile = f"{SERIES}/instances/1.2.3.1.8"

    assert client.get(f"{hostile}/rendered").status_code == 406
    assert client.get(f"{hostile}/frames/1").status_code == 406
    explicit = client.get(
        hostile, headers={"Accept": "application/dicom; transfer-syntax=1.2.840.10008.1.2.1"}
    )
    assert explicit.status_code == 406
