// dicomweb-client for JavaScript: search, metadata, frames, an object.
import { XMLHttpRequest } from './xhr.mjs';

globalThis.XMLHttpRequest = XMLHttpRequest;
const { api } = await import('dicomweb-client');
const { url, headers, study, series, patient } = JSON.parse(process.argv[2]);

const client = new api.DICOMwebClient({ url, headers });
const studies = await client.searchForStudies({ queryParams: { PatientID: patient } });
const all = await client.searchForSeries({ studyInstanceUID: study });
const metadata = await client.retrieveSeriesMetadata({ studyInstanceUID: study, seriesInstanceUID: series });
const sop = metadata[0]['00080018'].Value[0];
const place = { studyInstanceUID: study, seriesInstanceUID: series, sopInstanceUID: sop };
const frames = await client.retrieveInstanceFrames({ ...place, frameNumbers: [1] });
const object = await client.retrieveInstance(place);
const picture = await client.retrieveInstanceRendered({ ...place, mediaTypes: [{ mediaType: 'image/png' }] });
console.log(
  JSON.stringify({
    studies: studies.map((s) => s['0020000D'].Value[0]),
    series: all.map((s) => s['0020000E'].Value[0]),
    instances: metadata.length,
    frame: frames[0].byteLength,
    object: object.byteLength,
    picture: [...new Uint8Array(picture[0] ?? picture).slice(1, 4)].map((c) => String.fromCharCode(c)).join(''),
  }),
);
