/**
 * The unit of the numbers a series shows, and the factor that makes PET images standardised uptake values.
 *
 * SUV by body weight: PS3.3 C.8.9.1; QIBA's vendor-neutral rules: activity in Bq/ml, decay-corrected to the start
 * of the series (`START`) or to the injection (`ADMIN`).
 */
import { type DicomJson, items, number, text } from './dicom';

export interface Scaling {
  unit: string;
  /** SUV per Bq/ml for PET; null where it cannot be known, with the reason. */
  suvPerBqml: number | null;
  reason: string;
}

const PET_UNITS: Record<string, string> = { BQML: 'Bq/ml', CNTS: 'counts', GML: 'SUVbw', PROPCPS: 'cps' };
const SUV_UNIT = 'SUVbw';

/** What the stored values of an image mean after the modality LUT. */
export function scalingOf(instance: DicomJson, modality: string): Scaling {
  const plain = (unit: string, reason = ''): Scaling => ({ unit, suvPerBqml: null, reason });
  if (modality === 'PT') return petScaling(instance);
  const rescaleType = text(instance, '00281054');
  if (modality === 'CT') return plain(rescaleType && rescaleType !== 'US' ? rescaleType : 'HU');
  return plain(rescaleType && rescaleType !== 'US' ? rescaleType : 'stored value');
}

function petScaling(instance: DicomJson): Scaling {
  const units = text(instance, '00541001');
  const refused = (reason: string): Scaling => ({
    unit: PET_UNITS[units] ?? 'stored value',
    suvPerBqml: null,
    reason: `no SUV: ${reason}`,
  });
  if (units === 'GML') return { unit: SUV_UNIT, suvPerBqml: null, reason: 'SUV as stored by the scanner' };
  if (units !== 'BQML')
    return refused(`the images are in ${PET_UNITS[units] ?? (units || 'no stated unit')}`);
  const factor = suvFactor(instance);
  return typeof factor === 'string' ? refused(factor) : { unit: SUV_UNIT, suvPerBqml: factor, reason: '' };
}

/** SUV per Bq/ml, or what is missing. */
function suvFactor(instance: DicomJson): number | string {
  const tracer = items(instance, '00540016')[0];
  const kilograms = number(instance, '00101030');
  const dose = number(tracer, '00181074');
  const halfLife = number(tracer, '00181075');
  const correction = text(instance, '00541102');
  if (!kilograms || kilograms <= 0) return 'the patient’s weight is not stated';
  if (!dose || dose <= 0) return 'the injected dose is not stated';
  if (dose < 1e5) return 'the injected dose is not in becquerel';
  if (correction === 'ADMIN') return (kilograms * 1000) / dose;
  if (correction !== 'START') return 'the images are not decay-corrected';
  if (!halfLife || halfLife <= 0) return 'the half-life is not stated';
  const elapsed = elapsedSeconds(instance, tracer);
  if (elapsed === null) return 'the time of injection is not stated';
  if (elapsed < 0) return 'the scan starts before the injection';
  return (kilograms * 1000) / (dose * 2 ** (-elapsed / halfLife));
}

/** From injection to the start of the series; where the series was made later than acquired, the acquisition. */
function elapsedSeconds(instance: DicomJson, tracer: DicomJson | undefined): number | null {
  const date = text(instance, '00080021');
  const series = seconds(date, text(instance, '00080031'));
  const acquired = seconds(text(instance, '00080022') || date, text(instance, '00080032'));
  const start = series !== null && acquired !== null ? Math.min(series, acquired) : (series ?? acquired);
  const full = text(tracer, '00181078');
  const injected = full
    ? seconds(full.slice(0, 8), full.slice(8).split(/[+-]/)[0] ?? '')
    : seconds(date, text(tracer, '00181072'));
  return start === null || injected === null ? null : start - injected;
}

/** Seconds on an absolute scale of a DA and a TM. */
function seconds(date: string, time: string): number | null {
  const clock = /^(\d{2})(\d{2})?(\d{2}(?:\.\d+)?)?/.exec(time);
  const day = /^(\d{4})(\d{2})(\d{2})$/.exec(date);
  if (!clock || !day) return null;
  const midnight = Date.UTC(Number(day[1]), Number(day[2]) - 1, Number(day[3])) / 1000;
  return midnight + Number(clock[1]) * 3600 + Number(clock[2] ?? 0) * 60 + Number(clock[3] ?? 0);
}

/** A unit of pixels as the tools name it, in our words. */
export const unitWords = (unit: string | undefined): string =>
  !unit || unit === 'raw' ? 'stored value' : unit;
