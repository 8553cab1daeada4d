/* eslint-disable */
/* tslint:disable */
// @ts-nocheck
/*
 * ---------------------------------------------------------------
 * ## THIS FILE WAS GENERATED VIA SWAGGER-TYPESCRIPT-API        ##
 * ##                                                           ##
 * ## AUTHOR: acacode                                           ##
 * ## SOURCE: https://github.com/acacode/swagger-typescript-api ##
 * ---------------------------------------------------------------
 */

/**
 * Urgency
 * How soon a person should look.
 */
export type Urgency = "critical" | "soon" | "routine";

/**
 * State
 * Where a finding stands between the model's word and the report.
 */
export type State =
  | "proposed"
  | "accepted"
  | "edited"
  | "rejected"
  | "superseded";

/**
 * Decision
 * What a person can say of a finding; undo takes the last word on it back.
 */
export type Decision = "accept" | "reject" | "undo";

/**
 * BasedOn
 * How many findings stand behind the report.
 */
export interface BasedOn {
  /** Accepted */
  accepted: number;
  /** Proposed */
  proposed: number;
  /** Rejected */
  rejected: number;
}

/**
 * BasisView
 * What a sentence rests on.
 */
export interface BasisView {
  /** Kind */
  kind: string;
  /** Id */
  id: string;
  /** Text */
  text: string;
}

/**
 * ChangeLine
 * What became of one lesion, in words.
 */
export interface ChangeLine {
  /** Kind */
  kind: string;
  /** Text */
  text: string;
}

/**
 * ChangeView
 * What became of a lesion since the prior; percent is of volume, with its 95 % interval.
 */
export interface ChangeView {
  /** Kind */
  kind: string;
  /** Percent */
  percent: number | null;
  /** Low */
  low: number | null;
  /** High */
  high: number | null;
  /** Doubling Days */
  doubling_days: number | null;
  /** Doubling Low */
  doubling_low: number | null;
  /** Doubling High */
  doubling_high: number | null;
  /** Text */
  text: string;
  /** Reason */
  reason: string;
}

/**
 * CheckView
 * What a check found.
 */
export interface CheckView {
  /** Id */
  id: string;
  /** Severity */
  severity: "error" | "warning" | "note";
  /** Message */
  message: string;
  /** Sentence Id */
  sentence_id: string | null;
}

/**
 * ComparisonView
 * How study and prior were aligned.
 */
export interface ComparisonView {
  /** Id */
  id: string;
  /** Prior Uid */
  prior_uid: string;
  /** Verdict */
  verdict: "good" | "care" | "failed";
  /** Reason */
  reason: string;
  /** Method */
  method: string;
  /** Tests */
  tests: TestView[];
  grid: GridView | null;
}

/**
 * CorrectionBody
 * A person's values in place of the model's; what is left out stays as it is.
 */
export interface CorrectionBody {
  /** Label */
  label?: string | null;
  /** Long Axis Mm */
  long_axis_mm?: number | null;
  /** Short Axis Mm */
  short_axis_mm?: number | null;
  /** Volume Mm3 */
  volume_mm3?: number | null;
  /** Note */
  note?: string | null;
}

/**
 * Counts
 * How the list stands.
 */
export interface Counts {
  /** Critical */
  critical: number;
  /** Open */
  open: number;
  /** Median Wait Min */
  median_wait_min: number | null;
}

/**
 * CurvePoint
 * The volume of a lesion at one date.
 */
export interface CurvePoint {
  /** Study Uid */
  study_uid: string;
  /** Date */
  date: string;
  /** Volume Mm3 */
  volume_mm3: number;
  /** Low */
  low: number | null;
  /** High */
  high: number | null;
  /** Long Axis Mm */
  long_axis_mm: number | null;
}

/**
 * DecisionBody
 * A person's word on a finding.
 */
export interface DecisionBody {
  /** What a person can say of a finding; undo takes the last word on it back. */
  decision: Decision;
  /** Reason */
  reason?: string | null;
}

/**
 * Deferral
 * For how long to put a study off, in min.
 */
export interface Deferral {
  /**
   * Minutes
   * @exclusiveMin 0
   * @max 10080
   */
  minutes: number;
}

/**
 * DisplayView
 * Which series to show first and how; no window means the images' own.
 */
export interface DisplayView {
  /** Series Uid */
  series_uid: string;
  window: Window | null;
  /** Why */
  why: string;
}

/**
 * FindingView
 * A finding with its lesion over time.
 */
export interface FindingView {
  /** Id */
  id: string;
  /** Number */
  number: number;
  /** Label */
  label: string;
  /** Kind */
  kind: string;
  /** Where a finding stands between the model's word and the report. */
  state: State;
  /** Tracking Uid */
  tracking_uid: string;
  /** What a finding is answerable to. */
  source: SourceView;
  /** Why */
  why: string;
  /** Score */
  score: number | null;
  current: PlaceView | null;
  prior: PlaceView | null;
  change: ChangeView | null;
  /** Curve */
  curve: CurvePoint[];
  /** Proposed */
  proposed: Record<string, QuantityView>;
  /** Decided By */
  decided_by: string | null;
  /** Decided At */
  decided_at: string | null;
  /** Note */
  note: string | null;
}

/**
 * GridView
 * The grid on which the displacement is sampled: LPS, mm; `directions` row-major, columns x, y, z.
 */
export interface GridView {
  /** Url */
  url: string;
  /**
   * Shape Zyx
   * @maxItems 3
   * @minItems 3
   */
  shape_zyx: [number, number, number];
  /**
   * Spacing Xyz Mm
   * @maxItems 3
   * @minItems 3
   */
  spacing_xyz_mm: [number, number, number];
  /**
   * Origin Lps Mm
   * @maxItems 3
   * @minItems 3
   */
  origin_lps_mm: [number, number, number];
  /** Directions */
  directions: number[];
}

/** HTTPValidationError */
export interface HTTPValidationError {
  /** Detail */
  detail?: ValidationError[];
}

/**
 * Images
 * How many images are here; `expected` when the sender said so.
 */
export interface Images {
  /** Received */
  received: number;
  /** Expected */
  expected: number | null;
}

/**
 * Item
 * One thing that someone did.
 */
export interface Item {
  /** Seq */
  seq: number;
  /**
   * At
   * @format date-time
   */
  at: string;
  /** Act */
  act: string;
  /** By */
  by: string;
  /** On */
  on: string;
  /** Text */
  text: string;
}

/**
 * JobCounts
 * How many jobs wait, run and failed.
 */
export interface JobCounts {
  /** Running */
  running: number;
  /** Waiting */
  waiting: number;
  /** Failed */
  failed: number;
}

/**
 * LesionLine
 * One lesion through time.
 */
export interface LesionLine {
  /** Tracking Uid */
  tracking_uid: string;
  /** Label */
  label: string;
  /** State */
  state: string;
  /** Points */
  points: CurvePoint[];
  /** Change Text */
  change_text: string | null;
}

/**
 * Login
 * A user name and password.
 */
export interface Login {
  /**
   * Username
   * @maxLength 256
   */
  username: string;
  /**
   * Password
   * @maxLength 4096
   */
  password: string;
}

/**
 * MarkBody
 * A click on a lesion: series and point, LPS in mm.
 */
export interface MarkBody {
  /** Series Uid */
  series_uid: string;
  /**
   * Point Lps Mm
   * @maxItems 3
   * @minItems 3
   */
  point_lps_mm: [number, number, number];
}

/**
 * Me
 * The person who is logged in.
 */
export interface Me {
  /** Id */
  id: string;
  /** Username */
  username: string;
  /** Name */
  name: string;
  /** Roles */
  roles: string[];
  /** Initials */
  initials: string;
}

/**
 * Neighbour
 * The next or previous study on the worklist.
 */
export interface Neighbour {
  /** Study Uid */
  study_uid: string;
  /** Label */
  label: string;
}

/**
 * ObjectView
 * A standard object that the signed report became.
 */
export interface ObjectView {
  /** Kind */
  kind: "SR" | "SEG" | "PDF" | "FHIR";
  /** Uid */
  uid: string | null;
  /** Url */
  url: string;
  /** Label */
  label: string;
}

/**
 * OutlineSlice
 * The contours of a lesion in one image, LPS in mm.
 */
export interface OutlineSlice {
  /** Sop Uid */
  sop_uid: string;
  /** Z Mm */
  z_mm: number;
  /** Contours */
  contours: [number, number, number][][];
}

/**
 * OutlineView
 * The outline of a lesion and its axes, LPS in mm.
 */
export interface OutlineView {
  /** Finding Id */
  finding_id: string;
  /** Series Uid */
  series_uid: string;
  /** Slices */
  slices: OutlineSlice[];
  /** Long Axis */
  long_axis: [[number, number, number], [number, number, number]] | null;
  /** Short Axis */
  short_axis: [[number, number, number], [number, number, number]] | null;
}

/**
 * PasswordChange
 * The password so far and the new one.
 */
export interface PasswordChange {
  /**
   * Current
   * @maxLength 4096
   */
  current: string;
  /**
   * Password
   * @maxLength 4096
   */
  password: string;
}

/**
 * PatientTimeline
 * One patient through time.
 */
export interface PatientTimeline {
  /** Who the study is of; `id` is opaque. */
  patient: SightlineCareReadingRoutesPatientView;
  /** Studies */
  studies: Visit[];
  /** Lesions */
  lesions: LesionLine[];
  /** Simulated */
  simulated: boolean;
}

/**
 * PlaceView
 * Where a lesion lies and how large it is at one date.
 */
export interface PlaceView {
  /** Finding Id */
  finding_id: string;
  /** Study Uid */
  study_uid: string;
  /** Series Uid */
  series_uid: string;
  /** Sop Uid */
  sop_uid: string;
  /**
   * Centre Lps Mm
   * @maxItems 3
   * @minItems 3
   */
  centre_lps_mm: [number, number, number];
  volume: QuantityView | null;
  long_axis: QuantityView | null;
  short_axis: QuantityView | null;
  mean_hu: QuantityView | null;
  /** Outline Url */
  outline_url: string;
}

/**
 * PriorChoice
 * A prior that could be shown.
 */
export interface PriorChoice {
  /** Study Uid */
  study_uid: string;
  /** Date */
  date: string;
  /** Exam */
  exam: string;
  /** Why */
  why: string;
}

/**
 * PriorView
 * The prior that is shown beside, and why it was chosen.
 */
export interface PriorView {
  /** A study as it is read. */
  study: StudyView;
  display: DisplayView | null;
  /** Why */
  why: string;
  /** Days */
  days: number;
}

/**
 * QuantityView
 * A measured value with unit, 95 % interval and method.
 */
export interface QuantityView {
  /** Value */
  value: number;
  /** Unit */
  unit: string;
  /** Low */
  low: number | null;
  /** High */
  high: number | null;
  /** Method */
  method: string;
}

/**
 * Reader
 * Who has taken the study.
 */
export interface Reader {
  /** Id */
  id: string;
  /** Name */
  name: string;
}

/**
 * Reading
 * A study with everything that belongs beside it.
 */
export interface Reading {
  /** A study as it is read. */
  study: StudyView;
  current: DisplayView | null;
  prior: PriorView | null;
  /** Priors */
  priors: PriorChoice[];
  comparison: ComparisonView | null;
  /** How the analysis stands. */
  analysis: SightlineCareReadingRoutesAnalysisView;
  /** Findings */
  findings: FindingView[];
  /** Vanished */
  vanished: FindingView[];
  /** Timeline */
  timeline: Visit[];
  next: Neighbour | null;
  previous: Neighbour | null;
  /** Place Reason */
  place_reason: string;
  /** State */
  state: string;
}

/**
 * Reason
 * One reason for a place, with its weight.
 */
export interface Reason {
  /** Text */
  text: string;
  /** Weight */
  weight: string | null;
}

/**
 * ReportBody
 * What a person wrote, and version and digest of the report they saw.
 */
export interface ReportBody {
  /** Version */
  version: number;
  /** Digest */
  digest?: string | null;
  /**
   * Sections
   * @maxItems 20
   */
  sections: WrittenSection[];
}

/**
 * ReportView
 * The report of a study; `digest` is of its words: give it back to say what was seen.
 */
export interface ReportView {
  /** Id */
  id: string;
  /** Study Uid */
  study_uid: string;
  /** State */
  state: "draft" | "signed";
  /** Version */
  version: number;
  /** Digest */
  digest: string;
  /** Sections */
  sections: SectionView[];
  /** How many findings stand behind the report. */
  based_on: BasedOn;
  /** Checks */
  checks: CheckView[];
  /** Passed */
  passed: number;
  /** Signed By */
  signed_by: string | null;
  /** Signed At */
  signed_at: string | null;
  /** Objects */
  objects: ObjectView[];
  /** Objects State */
  objects_state: string;
}

/**
 * Row
 * One row of the worklist.
 */
export interface Row {
  /** Study Uid */
  study_uid: string;
  /** Who the study is of; `id` is opaque. */
  patient: SightlineCareWorklistRoutesPatientView;
  /** Exam */
  exam: string;
  /** Modality */
  modality: string;
  /** Study Date */
  study_date: string;
  /**
   * Arrived At
   * @format date-time
   */
  arrived_at: string;
  /**
   * Due At
   * @format date-time
   */
  due_at: string;
  /** How soon a person should look. */
  urgency: Urgency;
  /** Reason */
  reason: string;
  /** Place */
  place: Reason[];
  /** Prior Count */
  prior_count: number;
  /** Prior Date */
  prior_date: string | null;
  /** How many images are here; `expected` when the sender said so. */
  images: Images;
  reader: Reader | null;
  /** State */
  state: string;
  /** Changes */
  changes: ChangeLine[];
  /** Last Impression */
  last_impression: string | null;
  /** Indication */
  indication: string | null;
  /** How the analysis of a study stands. */
  analysis: SightlineCareWorklistRoutesAnalysisView;
  /** Simulated */
  simulated: boolean;
  /** Deferred Until */
  deferred_until: string | null;
  /** Thumbnail Url */
  thumbnail_url: string | null;
}

/**
 * SectionView
 * A heading and its sentences.
 */
export interface SectionView {
  /** Name */
  name: string;
  /** Sentences */
  sentences: SentenceView[];
}

/**
 * SentenceView
 * One sentence; `edited` when a person changed or wrote it.
 */
export interface SentenceView {
  /** Id */
  id: string;
  /** Text */
  text: string;
  /** Edited */
  edited: boolean;
  /** Sources */
  sources: BasisView[];
}

/**
 * SeriesView
 * A series of a study.
 */
export interface SeriesView {
  /** Uid */
  uid: string;
  /** Modality */
  modality: string;
  /** Number */
  number: number | null;
  /** Description */
  description: string;
  /** Images */
  images: number;
  /** Thumbnail Url */
  thumbnail_url: string;
}

/**
 * Setup
 * The secret of a one-time link and the password chosen with it.
 */
export interface Setup {
  /**
   * Token
   * @maxLength 256
   */
  token: string;
  /**
   * Password
   * @maxLength 4096
   */
  password: string;
}

/**
 * SignatureBody
 * Version and digest of the report that is signed, as it was seen.
 */
export interface SignatureBody {
  /** Version */
  version: number;
  /** Digest */
  digest?: string | null;
}

/**
 * SourceView
 * What a finding is answerable to.
 */
export interface SourceView {
  /** Kind */
  kind: string;
  /** Name */
  name: string;
  /** Version */
  version: string;
  /** Run */
  run: string;
  /** Inputs Sha256 */
  inputs_sha256: string;
  /** Parameters Sha256 */
  parameters_sha256: string;
}

/**
 * Status
 * How the installation is doing.
 */
export interface Status {
  /** Version */
  version: string;
  /** Arriving */
  arriving: number;
  /** How many jobs wait, run and failed. */
  jobs: JobCounts;
}

/**
 * StudyView
 * A study as it is read.
 */
export interface StudyView {
  /** Uid */
  uid: string;
  /** Who the study is of; `id` is opaque. */
  patient: SightlineCareReadingRoutesPatientView;
  /** Date */
  date: string;
  /** Time */
  time: string;
  /** Exam */
  exam: string;
  /** Modality */
  modality: string;
  /** Accession */
  accession: string;
  /** Indication */
  indication: string | null;
  /** Simulated */
  simulated: boolean;
  /** Series */
  series: SeriesView[];
}

/**
 * TestView
 * One test of the alignment.
 */
export interface TestView {
  /** Name */
  name: string;
  /** Value */
  value: number;
  /** Limit */
  limit: number;
  /** Unit */
  unit: string;
  /** Passed */
  passed: boolean;
}

/**
 * Trail
 * The newest entries, and the tree that they are leaves of.
 */
export interface Trail {
  /** Items */
  items: Item[];
  /** Size */
  size: number;
  /** Root */
  root: string;
  /** Verified At */
  verified_at: string | null;
}

/** ValidationError */
export interface ValidationError {
  /** Location */
  loc: (string | number)[];
  /** Message */
  msg: string;
  /** Error Type */
  type: string;
  /** Input */
  input?: any;
  /** Context */
  ctx?: object;
}

/**
 * Verification
 * Whether the trail is whole; if not, what is wrong.
 */
export interface Verification {
  /** Ok */
  ok: boolean;
  /** Size */
  size: number;
  /** Root */
  root: string;
  /** Checkpoints */
  checkpoints: number;
  /** Problem */
  problem: string | null;
  /** Record */
  record: number | null;
  /** Text */
  text: string;
}

/**
 * Visit
 * A study on the patient's line.
 */
export interface Visit {
  /** Study Uid */
  study_uid: string;
  /** Date */
  date: string;
  /** Exam */
  exam: string;
  /** Modality */
  modality: string;
}

/**
 * Window
 * Centre and width in the unit of the images.
 */
export interface Window {
  /** Center */
  center: number;
  /** Width */
  width: number;
}

/**
 * WorklistPage
 * One page; `next` goes into `after`.
 */
export interface WorklistPage {
  /** Items */
  items: Row[];
  /** Next */
  next: string | null;
  /** How the list stands. */
  counts: Counts;
}

/**
 * WrittenSection
 * A section as a person sends it.
 */
export interface WrittenSection {
  /** Name */
  name: string;
  /**
   * Sentences
   * @maxItems 200
   */
  sentences: WrittenSentence[];
}

/**
 * WrittenSentence
 * One sentence as a person sends it; no id means that it is new.
 */
export interface WrittenSentence {
  /** Id */
  id?: string | null;
  /**
   * Text
   * @maxLength 4000
   */
  text: string;
}

/**
 * AnalysisView
 * How the analysis stands.
 */
export interface SightlineCareReadingRoutesAnalysisView {
  /** State */
  state: string;
  /** Text */
  text: string;
  /** Model */
  model: string;
}

/**
 * PatientView
 * Who the study is of; `id` is opaque.
 */
export interface SightlineCareReadingRoutesPatientView {
  /** Id */
  id: string;
  /** Name */
  name: string;
  /** Patient Id */
  patient_id: string;
  /** Sex */
  sex: string;
  /** Birth Date */
  birth_date: string;
  /** Age Years */
  age_years: number | null;
}

/**
 * AnalysisView
 * How the analysis of a study stands.
 */
export interface SightlineCareWorklistRoutesAnalysisView {
  /** State */
  state: string;
  /** Text */
  text: string;
}

/**
 * PatientView
 * Who the study is of; `id` is opaque.
 */
export interface SightlineCareWorklistRoutesPatientView {
  /** Id */
  id: string;
  /** Name */
  name: string;
  /** Patient Id */
  patient_id: string;
  /** Sex */
  sex: string;
  /** Age Years */
  age_years: number | null;
}
