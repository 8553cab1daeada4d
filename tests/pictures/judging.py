"""One object in the viewer against the reference: right, or wrong and in what way."""

import warnings
from dataclasses import dataclass

from pydicom import Dataset

from tests.pictures.comparing import Difference, compare
from tests.pictures.files import Held
from tests.pictures.looking import Looker, NothingShown, View
from tests.pictures.reference import Picture, expected, good_window

# In levels of 255: rounding to 8 bit and the eighth bit of a texture's interpolation, no more.
MEAN, P99 = 1.0, 6.0

_NO_TYPE = "the image loader stops at a missing Image Type (0008,0008), and the pane waits for ever"
_PALETTE = "the image loader wants palettes as numbers; DICOM JSON has them as binary, and the pane waits"
_YBR_422 = "native YBR_FULL_422 is drawn as if it had three samples a pixel"
_LUT = "the Modality LUT Sequence is not applied"
_WINDOW = "the ends of the window are c ± w/2, not those of PS3.3 C.11.2.1.2"
_EXTENDED = "JPEG Extended of 12 bit comes some 13 above its stored values"
_WIDE_RLE = "RLE of this depth is not decoded by the image loader"

# What the viewer shows wrongly today, and why; what is shown rightly again must be taken off the list.
KNOWN = {
    "test_files/GDCMJ2K_TextGBR.dcm": _NO_TYPE,
    "test_files/J2K_pixelrep_mismatch.dcm": "the codestream's sign is taken for that of the header",
    "test_files/JPEG-lossy.dcm": _EXTENDED,
    "test_files/JPEGLSNearLossless_08.dcm": _NO_TYPE,
    "test_files/JPEGLSNearLossless_16.dcm": _NO_TYPE,
    "test_files/JPGExtended.dcm": _EXTENDED,
    "test_files/SC_jpeg_no_color_transform.dcm": _NO_TYPE,
    "test_files/SC_jpeg_no_color_transform_2.dcm": _NO_TYPE,
    "test_files/SC_rgb_jls_lossy_line.dcm": _NO_TYPE,
    "test_files/SC_rgb_jls_lossy_sample.dcm": _NO_TYPE,
    "test_files/SC_rgb_jpeg.dcm": "JPEG of RGB without a colour transform is transformed",
    "test_files/SC_rgb_rle_16bit.dcm": _WIDE_RLE,
    "test_files/SC_rgb_rle_16bit_2frame.dcm": _WIDE_RLE,
    "test_files/SC_rgb_rle_32bit.dcm": _WIDE_RLE,
    "test_files/SC_rgb_rle_32bit_2frame.dcm": _WIDE_RLE,
    "test_files/SC_rgb_small_odd_big_endian.dcm": "big-endian words of 8-bit samples stay turned round",
    "test_files/SC_ybr_full_422_uncompressed.dcm": _YBR_422,
    "test_files/examples_palette.dcm": _PALETTE,
    "test_files/rtdose_rle.dcm": _WIDE_RLE,
    "test_files/rtdose_rle_1frame.dcm": _WIDE_RLE,
    "cornerstone/CT0012.fragmented_no_bot_jpeg_baseline.51.dcm": _WINDOW,
    "cornerstone/CTImage.dcm_JPEGProcess2_4TransferSyntax_1.2.840.10008.1.2.4.51.dcm": _EXTENDED,
    "cornerstone/TestPattern_Palette.dcm": _PALETTE,
    "cornerstone/TestPattern_Palette_16.dcm": _PALETTE,
    "cornerstone/US-YBR_FULL_422-EVRLE.dcm": _YBR_422,
    "cornerstone/no-pixel-spacing.dcm": _PALETTE,
    "pydicom-data/HTJ2KLossless_08_RGB.dcm": _NO_TYPE,
    "pydicom-data/HTJ2K_08_RGB.dcm": _NO_TYPE,
    "pydicom-data/JLSL_16_15_1_1F.dcm": _NO_TYPE,
    "pydicom-data/OBXXXX1A_rle_2frame.dcm": _PALETTE,
    "pydicom-data/mlut_18.dcm": _LUT,
    "pydicom-data/parametric_map_double_float.dcm": "the image loader knows no floats of 64 bit",
    "multiframe-us-nm-dcm4che/US-PAL-8-10x-echo": _PALETTE,
    "multiframe-us-nm-dcm4che/ovly_p01.dcm": "bits above Bits Stored, an overlay's, are taken for grey",
    "multiframe-us-xa-mg-wsi/CR-ModalitySequenceLUT.dcm": _LUT,
}


@dataclass(frozen=True)
class Verdict:
    """Whether an object is shown rightly, in words, and the difference where there is one."""

    right: bool
    words: str
    difference: Difference | None = None

    def __str__(self) -> str:
        return self.words


def judge(looker: Looker, held: Held) -> Verdict:
    """Open an object's study and compare its middle frame, or see that the pane says why it is not shown."""
    try:
        view = looker.open(held.study_uid)
        if view.state == "failed":
            return _unshown(held.dataset, view.reason)
        return _compared(looker, held.dataset, view)
    except NothingShown as nothing:
        return Verdict(False, str(nothing))


def _compared(looker: Looker, dataset: Dataset, view: View) -> Verdict:
    frame = view.count // 2
    picture = wanted(dataset, frame)
    if picture is None:
        return Verdict(True, "shown; the reference cannot decode it")
    window = good_window(picture.values) if picture.values.ndim == 2 else None
    view = looker.show(frame, window)
    if view.state == "failed":
        return _unshown(dataset, view.reason)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # The order of the series is the viewer's; the frame is its own.
        difference = compare(looker.shown(dataset), expected(dataset, view.frame - 1, window))
    right = difference.mean <= MEAN and difference.p99 <= P99
    kind = dataset.PhotometricInterpretation
    words = f"{kind} frame {view.frame} of {view.count}: mean {difference.mean:.2f}, p99 {difference.p99:.1f}"
    return Verdict(right, words, difference)


def wanted(dataset: Dataset, frame: int) -> Picture | None:
    """Return what is wanted of a frame; None where the reference cannot decode it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return expected(dataset, frame)
        except (ValueError, AttributeError, KeyError, RuntimeError, NotImplementedError, IndexError):
            return None


def _unshown(dataset: Dataset, reason: str) -> Verdict:
    if not reason:
        return Verdict(False, "not shown, and nothing says why")
    if "decoded" in reason and wanted(dataset, 0) is not None:
        return Verdict(False, f"not shown though it can be decoded: {reason}")
    return Verdict(True, f"not shown: {reason}")
