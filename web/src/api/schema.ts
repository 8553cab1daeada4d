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
  /** Id */
  id: string;
  /** Kind */
  kind: string;
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
  /** Doubling Days */
  doubling_days: number | null;
  /** Doubling High */
  doubling_high: number | null;
  /** Doubling Low */
  doubling_low: number | null;
  /** High */
  high: number | null;
  /** Kind */
  kind: string;
  /** Low */
  low: number | null;
  /** Percent */
  percent: number | null;
  /** Reason */
  reason: string;
  /** Text */
  text: string;
}

/**
 * CheckView
 * What a check found.
 */
export interface CheckView {
  /** Id */
  id: string;
  /** Message */
  message: string;
  /** Sentence Id */
  sentence_id: string | null;
  /** Severity */
  severity: "error" | "warning" | "note";
}

/**
 * ComparisonView
 * How study and prior were aligned.
 */
export interface ComparisonView {
  grid: GridView | null;
  /** Id */
  id: string;
  /** Method */
  method: string;
  /** Prior Uid */
  prior_uid: string;
  /** Reason */
  reason: string;
  /** Tests */
  tests: TestView[];
  /** Verdict */
  verdict: "good" | "care" | "failed";
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
  /** Note */
  note?: string | null;
  /** Short Axis Mm */
  short_axis_mm?: number | null;
  /** Volume Mm3 */
  volume_mm3?: number | null;
}

/**
 * Counts
 * How the list stands.
 */
export interface Counts {
  /** Critical */
  critical: number;
  /** Median Wait Min */
  median_wait_min: number | null;
  /** Open */
  open: number;
}

/**
 * CurvePoint
 * The volume of a lesion at one date.
 */
export interface CurvePoint {
  /** Date */
  date: string;
  /** High */
  high: number | null;
  /** Long Axis Mm */
  long_axis_mm: number | null;
  /** Low */
  low: number | null;
  /** Study Uid */
  study_uid: string;
  /** Volume Mm3 */
  volume_mm3: number;
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
  /** Why */
  why: string;
  window: Window | null;
}

/**
 * FindingView
 * A finding with its lesion over time.
 */
export interface FindingView {
  change: ChangeView | null;
  current: PlaceView | null;
  /** Curve */
  curve: CurvePoint[];
  /** Decided At */
  decided_at: string | null;
  /** Decided By */
  decided_by: string | null;
  /** Id */
  id: string;
  /** Kind */
  kind: string;
  /** Label */
  label: string;
  /** Note */
  note: string | null;
  /** Number */
  number: number;
  prior: PlaceView | null;
  /** Proposed */
  proposed: Record<string, QuantityView>;
  /** Score */
  score: number | null;
  /** What a finding is answerable to. */
  source: SourceView;
  /** Where a finding stands between the model's word and the report. */
  state: State;
  /** Tracking Uid */
  tracking_uid: string;
  /** Why */
  why: string;
}

/**
 * GridView
 * The grid on which the displacement is sampled: LPS, mm; `directions` row-major, columns x, y, z.
 */
export interface GridView {
  /** Directions */
  directions: number[];
  /**
   * Origin Lps Mm
   * @maxItems 3
   * @minItems 3
   */
  origin_lps_mm: [number, number, number];
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
  /** Url */
  url: string;
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
  /** Expected */
  expected: number | null;
  /** Received */
  received: number;
}

/**
 * Item
 * One thing that someone did.
 */
export interface Item {
  /** Act */
  act: string;
  /**
   * At
   * @format date-time
   */
  at: string;
  /** By */
  by: string;
  /** On */
  on: string;
  /** Seq */
  seq: number;
  /** Text */
  text: string;
}

/**
 * JobCounts
 * How many jobs wait, run and failed.
 */
export interface JobCounts {
  /** Failed */
  failed: number;
  /** Running */
  running: number;
  /** Waiting */
  waiting: number;
}

/**
 * LesionLine
 * One lesion through time.
 */
export interface LesionLine {
  /** Change Text */
  change_text: string | null;
  /** Label */
  label: string;
  /** Points */
  points: CurvePoint[];
  /** State */
  state: string;
  /** Tracking Uid */
  tracking_uid: string;
}

/**
 * Login
 * A user name and password.
 */
export interface Login {
  /**
   * Password
   * @maxLength 4096
   */
  password: string;
  /**
   * Username
   * @maxLength 256
   */
  username: string;
}

/**
 * MarkBody
 * A click on a lesion: series and point, LPS in mm.
 */
export interface MarkBody {
  /**
   * Point Lps Mm
   * @maxItems 3
   * @minItems 3
   */
  point_lps_mm: [number, number, number];
  /** Series Uid */
  series_uid: string;
}

/**
 * Me
 * The person who is logged in.
 */
export interface Me {
  /** Id */
  id: string;
  /** Initials */
  initials: string;
  /** Name */
  name: string;
  /** Roles */
  roles: string[];
  /** Username */
  username: string;
}

/**
 * Neighbour
 * The next or previous study on the worklist.
 */
export interface Neighbour {
  /** Label */
  label: string;
  /** Study Uid */
  study_uid: string;
}

/**
 * ObjectView
 * A standard object that the signed report became.
 */
export interface ObjectView {
  /** Kind */
  kind: "SR" | "SEG" | "PDF" | "FHIR";
  /** Label */
  label: string;
  /** Uid */
  uid: string | null;
  /** Url */
  url: string;
}

/**
 * OutlineSlice
 * The contours of a lesion in one image, LPS in mm.
 */
export interface OutlineSlice {
  /** Contours */
  contours: [number, number, number][][];
  /** Sop Uid */
  sop_uid: string;
  /** Z Mm */
  z_mm: number;
}

/**
 * OutlineView
 * The outline of a lesion and its axes, LPS in mm.
 */
export interface OutlineView {
  /** Finding Id */
  finding_id: string;
  /** Long Axis */
  long_axis: [[number, number, number], [number, number, number]] | null;
  /** Series Uid */
  series_uid: string;
  /** Short Axis */
  short_axis: [[number, number, number], [number, number, number]] | null;
  /** Slices */
  slices: OutlineSlice[];
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
  /** Lesions */
  lesions: LesionLine[];
  /** Who the study is of; `id` is opaque. */
  patient: SightlineCareReadingRoutesPatientView;
  /** Simulated */
  simulated: boolean;
  /** Studies */
  studies: Visit[];
}

/**
 * PlaceView
 * Where a lesion lies and how large it is at one date.
 */
export interface PlaceView {
  /**
   * Centre Lps Mm
   * @maxItems 3
   * @minItems 3
   */
  centre_lps_mm: [number, number, number];
  /** Finding Id */
  finding_id: string;
  long_axis: QuantityView | null;
  mean_hu: QuantityView | null;
  /** Outline Url */
  outline_url: string;
  /** Series Uid */
  series_uid: string;
  short_axis: QuantityView | null;
  /** Sop Uid */
  sop_uid: string;
  /** Study Uid */
  study_uid: string;
  volume: QuantityView | null;
}

/**
 * PriorChoice
 * A prior that could be shown.
 */
export interface PriorChoice {
  /** Date */
  date: string;
  /** Exam */
  exam: string;
  /** Study Uid */
  study_uid: string;
  /** Why */
  why: string;
}

/**
 * PriorView
 * The prior that is shown beside, and why it was chosen.
 */
export interface PriorView {
  /** Days */
  days: number;
  display: DisplayView | null;
  /** A study as it is read. */
  study: StudyView;
  /** Why */
  why: string;
}

/**
 * QuantityView
 * A measured value with unit, 95 % interval and method.
 */
export interface QuantityView {
  /** High */
  high: number | null;
  /** Low */
  low: number | null;
  /** Method */
  method: string;
  /** Unit */
  unit: string;
  /** Value */
  value: number;
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
  /** How the analysis stands. */
  analysis: SightlineCareReadingRoutesAnalysisView;
  comparison: ComparisonView | null;
  current: DisplayView | null;
  /** Findings */
  findings: FindingView[];
  next: Neighbour | null;
  /** Place Reason */
  place_reason: string;
  previous: Neighbour | null;
  prior: PriorView | null;
  /** Priors */
  priors: PriorChoice[];
  /** State */
  state: string;
  /** A study as it is read. */
  study: StudyView;
  /** Timeline */
  timeline: Visit[];
  /** Vanished */
  vanished: FindingView[];
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
  /** Digest */
  digest?: string | null;
  /**
   * Sections
   * @maxItems 20
   */
  sections: WrittenSection[];
  /** Version */
  version: number;
}

/**
 * ReportView
 * The report of a study; `digest` is of its words: give it back to say what was seen.
 */
export interface ReportView {
  /** How many findings stand behind the report. */
  based_on: BasedOn;
  /** Checks */
  checks: CheckView[];
  /** Digest */
  digest: string;
  /** Id */
  id: string;
  /** Objects */
  objects: ObjectView[];
  /** Objects State */
  objects_state: string;
  /** Passed */
  passed: number;
  /** Sections */
  sections: SectionView[];
  /** Signed At */
  signed_at: string | null;
  /** Signed By */
  signed_by: string | null;
  /** State */
  state: "draft" | "signed";
  /** Study Uid */
  study_uid: string;
  /** Version */
  version: number;
}

/**
 * Row
 * One row of the worklist.
 */
export interface Row {
  /** How the analysis of a study stands. */
  analysis: SightlineCareWorklistRoutesAnalysisView;
  /**
   * Arrived At
   * @format date-time
   */
  arrived_at: string;
  /** Changes */
  changes: ChangeLine[];
  /** Deferred Until */
  deferred_until: string | null;
  /**
   * Due At
   * @format date-time
   */
  due_at: string;
  /** Exam */
  exam: string;
  /** How many images are here; `expected` when the sender said so. */
  images: Images;
  /** Indication */
  indication: string | null;
  /** Last Impression */
  last_impression: string | null;
  /** Modality */
  modality: string;
  /** Who the study is of; `id` is opaque. */
  patient: SightlineCareWorklistRoutesPatientView;
  /** Place */
  place: Reason[];
  /** Prior Count */
  prior_count: number;
  /** Prior Date */
  prior_date: string | null;
  reader: Reader | null;
  /** Reason */
  reason: string;
  /** Simulated */
  simulated: boolean;
  /** State */
  state: string;
  /** Study Date */
  study_date: string;
  /** Study Uid */
  study_uid: string;
  /** Thumbnail Url */
  thumbnail_url: string | null;
  /** How soon a person should look. */
  urgency: Urgency;
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
  /** Edited */
  edited: boolean;
  /** Id */
  id: string;
  /** Sources */
  sources: BasisView[];
  /** Text */
  text: string;
}

/**
 * SeriesView
 * A series of a study.
 */
export interface SeriesView {
  /** Description */
  description: string;
  /** Images */
  images: number;
  /** Modality */
  modality: string;
  /** Number */
  number: number | null;
  /** Thumbnail Url */
  thumbnail_url: string;
  /** Uid */
  uid: string;
}

/**
 * Setup
 * The secret of a one-time link and the password chosen with it.
 */
export interface Setup {
  /**
   * Password
   * @maxLength 4096
   */
  password: string;
  /**
   * Token
   * @maxLength 256
   */
  token: string;
}

/**
 * SignatureBody
 * Version and digest of the report that is signed, as it was seen.
 */
export interface SignatureBody {
  /** Digest */
  digest?: string | null;
  /** Version */
  version: number;
}

/**
 * SourceView
 * What a finding is answerable to.
 */
export interface SourceView {
  /** Inputs Sha256 */
  inputs_sha256: string;
  /** Kind */
  kind: string;
  /** Name */
  name: string;
  /** Parameters Sha256 */
  parameters_sha256: string;
  /** Run */
  run: string;
  /** Version */
  version: string;
}

/**
 * Status
 * How the installation is doing.
 */
export interface Status {
  /** Arriving */
  arriving: number;
  /** How many jobs wait, run and failed. */
  jobs: JobCounts;
  /** Version */
  version: string;
}

/**
 * StudyView
 * A study as it is read.
 */
export interface StudyView {
  /** Accession */
  accession: string;
  /** Date */
  date: string;
  /** Exam */
  exam: string;
  /** Indication */
  indication: string | null;
  /** Modality */
  modality: string;
  /** Who the study is of; `id` is opaque. */
  patient: SightlineCareReadingRoutesPatientView;
  /** Series */
  series: SeriesView[];
  /** Simulated */
  simulated: boolean;
  /** Time */
  time: string;
  /** Uid */
  uid: string;
}

/**
 * TestView
 * One test of the alignment.
 */
export interface TestView {
  /** Limit */
  limit: number;
  /** Name */
  name: string;
  /** Passed */
  passed: boolean;
  /** Unit */
  unit: string;
  /** Value */
  value: number;
}

/**
 * Trail
 * The newest entries, and the tree that they are leaves of.
 */
export interface Trail {
  /** Items */
  items: Item[];
  /** Root */
  root: string;
  /** Size */
  size: number;
  /** Verified At */
  verified_at: string | null;
}

/** ValidationError */
export interface ValidationError {
  /** Context */
  ctx?: object;
  /** Input */
  input?: any;
  /** Location */
  loc: (string | number)[];
  /** Message */
  msg: string;
  /** Error Type */
  type: string;
}

/**
 * Verification
 * Whether the trail is whole; if not, what is wrong.
 */
export interface Verification {
  /** Checkpoints */
  checkpoints: number;
  /** Ok */
  ok: boolean;
  /** Problem */
  problem: string | null;
  /** Record */
  record: number | null;
  /** Root */
  root: string;
  /** Size */
  size: number;
  /** Text */
  text: string;
}

/**
 * Visit
 * A study on the patient's line.
 */
export interface Visit {
  /** Date */
  date: string;
  /** Exam */
  exam: string;
  /** Modality */
  modality: string;
  /** Study Uid */
  study_uid: string;
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
  /** How the list stands. */
  counts: Counts;
  /** Items */
  items: Row[];
  /** Next */
  next: string | null;
}

/**
 * WorklistQuery
 * What to list: words over name, id and accession; modality; open, reported or all.
 */
export interface WorklistQuery {
  /**
   * After
   * @maxLength 128
   * @default ""
   */
  after?: string;
  /**
   * Limit
   * @exclusiveMin 0
   * @max 200
   * @default 50
   */
  limit?: number;
  /**
   * Modality
   * @maxLength 16
   * @default ""
   */
  modality?: string;
  /**
   * Q
   * @maxLength 100
   * @default ""
   */
  q?: string;
  /**
   * State
   * @default "open"
   */
  state?: "open" | "reported" | "all";
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
  /** Model */
  model: string;
  /** State */
  state: string;
  /** Text */
  text: string;
}

/**
 * PatientView
 * Who the study is of; `id` is opaque.
 */
export interface SightlineCareReadingRoutesPatientView {
  /** Age Years */
  age_years: number | null;
  /** Birth Date */
  birth_date: string;
  /** Id */
  id: string;
  /** Name */
  name: string;
  /** Patient Id */
  patient_id: string;
  /** Sex */
  sex: string;
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
  /** Age Years */
  age_years: number | null;
  /** Id */
  id: string;
  /** Name */
  name: string;
  /** Patient Id */
  patient_id: string;
  /** Sex */
  sex: string;
}
