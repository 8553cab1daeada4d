// dcmjs-dimse against a DICOM port: verification, store, find, get, a performed procedure step, commitment.
import { createRequire } from 'node:module';

const { Client, Dataset, requests, constants } = createRequire(import.meta.url)('dcmjs-dimse');
const { port, folder, files, study, patient, step, called } = JSON.parse(process.argv[2]);
createRequire(import.meta.url)('dcmjs-dimse').log.level = 'error';

const send = (...wanted) =>
  new Promise((resolve, reject) => {
    const client = new Client();
    const answers = wanted.map(() => []);
    const received = [];
    wanted.forEach((request, index) => {
      request.on('response', (response) => answers[index].push(response));
      client.addRequest(request);
    });
    client.on('cStoreRequest', (request, callback) => {
      received.push(request.getDataset().getElement('SOPInstanceUID'));
      const response = createRequire(import.meta.url)('dcmjs-dimse').responses.CStoreResponse.fromRequest(request);
      response.setStatus(constants.Status.Success);
      callback(response);
    });
    client.on('networkError', reject);
    client.on('associationRejected', () => reject(new Error('rejected')));
    client.on('closed', () => resolve({ answers, received }));
    client.send('127.0.0.1', port, 'DCMJS', called);
  });

const last = (answers) => answers.at(-1)?.getStatus();
const result = {};

result.echo = last((await send(new requests.CEchoRequest())).answers[0]);
result.store = (
  await send(...files.map((name) => new requests.CStoreRequest(`${folder}/${name}`)))
).answers.map(last);

const find = requests.CFindRequest.createStudyFindRequest({ PatientID: patient, StudyInstanceUID: '' });
const found = (await send(find)).answers[0];
result.find = last(found);
result.studies = found.filter((r) => r.hasDataset()).map((r) => r.getDataset().getElement('StudyInstanceUID'));

const got = await send(requests.CGetRequest.createStudyGetRequest(study));
result.get = last(got.answers[0]);
result.received = got.received.length;

const MPPS = '1.2.840.10008.3.1.2.3.3';
const create = new requests.NCreateRequest(MPPS, step);
create.setDataset(
  new Dataset({
    PerformedProcedureStepStatus: 'IN PROGRESS',
    PerformedProcedureStepID: 'P1',
    PerformedStationAETitle: 'DCMJS',
    PerformedProcedureStepStartDate: '20240131',
    PerformedProcedureStepStartTime: '101500',
    Modality: 'CT',
    PatientName: 'Judge^One',
    PatientID: patient,
    PatientBirthDate: '19600102',
    PatientSex: 'M',
    StudyID: '1',
    ScheduledStepAttributesSequence: [{ StudyInstanceUID: study, AccessionNumber: 'J1' }],
    PerformedSeriesSequence: [],
  }),
);
result.mppsCreate = last((await send(create)).answers[0]);
const end = () => {
  const set = new requests.NSetRequest(MPPS, step);
  set.setDataset(
    new Dataset({
      PerformedProcedureStepStatus: 'COMPLETED',
      PerformedProcedureStepEndDate: '20240131',
      PerformedProcedureStepEndTime: '102000',
      PerformedSeriesSequence: [
        {
          SeriesInstanceUID: `${study}.1`,
          SeriesDescription: 'lung',
          ProtocolName: 'chest',
          PerformingPhysicianName: '',
          OperatorsName: '',
          RetrieveAETitle: '',
          ReferencedImageSequence: [],
          ReferencedNonImageCompositeSOPInstanceSequence: [],
        },
      ],
    }),
  );
  return set;
};
result.mppsEnd = last((await send(end())).answers[0]);
result.mppsAgain = last((await send(end())).answers[0]);

const commit = new requests.NActionRequest('1.2.840.10008.1.20.1', '1.2.840.10008.1.20.1.1', 1);
commit.setDataset(
  new Dataset({
    TransactionUID: `${study}.77`,
    ReferencedSOPSequence: [
      { ReferencedSOPClassUID: '1.2.840.10008.5.1.4.1.1.2', ReferencedSOPInstanceUID: `${study}.1.1` },
    ],
  }),
);
result.commit = last((await send(commit)).answers[0]);
console.log(JSON.stringify(result));
process.exit(0);
