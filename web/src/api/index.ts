/** The JSON API as the application sees it: types generated from OpenAPI, and the addresses. */
export {
  download,
  get,
  getBlob,
  getFloats,
  headersOf,
  onSignedOut,
  patch,
  patchPiece,
  post,
  postBytes,
  put,
  Refused,
  remove,
} from './client';
export type {
  AlignmentView as Alignment,
  CandidateView as Candidate,
  CellView,
  ChangeView as FindingChange,
  ClickBody as Click,
  ClickedView as Clicked,
  ComparisonView as Comparison,
  EventBody,
  EventView as ChartEvent,
  FindingView as Finding,
  Judgement,
  LesionRow,
  MapClusterView as ChangedPlace,
  MapView as ChangeMap,
  Me,
  NumberView,
  ObjectView as StoredObject,
  OutlineView as Outline,
  PairView as PairAlignment,
  PatientTimeline,
  PlaceView as Place,
  Plan,
  PlannedLesion,
  PlannedPoint,
  PointColumn,
  PriorElsewhere,
  PriorsElsewhere,
  QuantityView as Quantity,
  Reading,
  ReportView as Report,
  ResponseView,
  Row,
  SentenceView as Sentence,
  Standings,
  StandingView as Standing,
  StudyView as Study,
  SystemStatus as Status,
  Trail,
  Verification,
  WorklistPage as Worklist,
} from './schema';

const part = encodeURIComponent;

/** Addresses of the JSON API. */
export const api = {
  session: '/api/session',
  me: '/api/me',
  status: '/api/status',
  worklistPage: '/api/worklist/page',
  claim: (study: string) => `/api/worklist/${part(study)}/claim`,
  deferral: (study: string) => `/api/worklist/${part(study)}/deferral`,
  reading: (study: string, ahead = false) =>
    `/api/studies/${part(study)}/reading${ahead ? '?ahead=true' : ''}`,
  opening: (study: string) => `/api/studies/${part(study)}/opening`,
  priorsElsewhere: (study: string) => `/api/studies/${part(study)}/priors/elsewhere`,
  priorSearch: (study: string) => `/api/studies/${part(study)}/priors/search`,
  standings: '/api/priors/standings',
  prior: (study: string, prior: string, act: 'take' | 'dismiss' | 'opening') =>
    `/api/studies/${part(study)}/priors/${part(prior)}/${act}`,
  pairAlignment: (study: string, prior: string) =>
    `/api/studies/${part(study)}/priors/${part(prior)}/alignment`,
  priorSlice: (study: string, prior: string) => `/api/studies/${part(study)}/priors/${part(prior)}/slice`,
  analysis: (study: string) => `/api/studies/${part(study)}/analysis`,
  changeMap: (study: string) => `/api/studies/${part(study)}/change-map`,
  lesionLinks: '/api/lesion-links',
  lesionLink: (statement: string) => `/api/lesion-links/${part(statement)}`,
  candidates: (finding: string) => `/api/findings/${part(finding)}/candidates`,
  click: (study: string) => `/api/studies/${part(study)}/click`,
  newFinding: (study: string) => `/api/studies/${part(study)}/findings`,
  report: (study: string) => `/api/studies/${part(study)}/report`,
  signature: (study: string) => `/api/studies/${part(study)}/report/signature`,
  finding: (id: string) => `/api/findings/${part(id)}`,
  decision: (id: string) => `/api/findings/${part(id)}/decision`,
  timeline: (patient: string) => `/api/patients/${part(patient)}/timeline`,
  response: (patient: string, criterion = '') =>
    `/api/patients/${part(patient)}/response${criterion && `?criterion=${part(criterion)}`}`,
  events: (patient: string) => `/api/patients/${part(patient)}/events`,
  setup: '/api/setup',
  verification: '/api/audit/verification',
  audit: (query: Record<string, string>) => `/api/audit?${new URLSearchParams(query)}`,
} as const;

/** Addresses of DICOMweb (PS3.18 10.4). */
export const dicomweb = {
  metadata: (study: string, series: string) =>
    `/dicom-web/studies/${part(study)}/series/${part(series)}/metadata`,
  frame: (study: string, series: string) => (sop: string, frame: number) =>
    `${location.origin}/dicom-web/studies/${part(study)}/series/${part(series)}/instances/${part(sop)}/frames/${frame}`,
} as const;
