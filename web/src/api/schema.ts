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
 * Status
 * How an order or one of its steps stands.
 */
export type Status =
  | "scheduled"
  | "arrived"
  | "started"
  | "completed"
  | "discontinued"
  | "cancelled";

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
 * Projection
 * What is shown of the values along a line through a slab.
 */
export type Projection = "average" | "max" | "min";

/**
 * Progress
 * How a performed procedure step stands: the words of (0040,0252).
 */
export type Progress = "in progress" | "completed" | "discontinued";

/**
 * Priority
 * How soon it is wanted: the words of (0040,1003).
 */
export type Priority = "stat" | "high" | "routine" | "medium" | "low";

/**
 * Owner
 * Whose a protocol is, the nearest first.
 */
export type Owner = "mine" | "site" | "built-in";

/**
 * Kind
 * What an entry is.
 */
export type Kind = "treatment" | "lab";

/**
 * Identity
 * What a person can say of findings of two studies.
 */
export type Identity = "same" | "different" | "merged" | "split";

/**
 * EntryOrigin
 * How an entry came here.
 */
export type EntryOrigin = "person" | "fhir";

/**
 * Decision
 * What a person can say of a finding; undo takes the last word on it back.
 */
export type Decision = "accept" | "reject" | "undo";

/**
 * AlignmentView
 * How two studies were aligned: the verdict, the test that decided it, all tests, where the field is.
 */
export interface AlignmentView {
  grid: PairGrid | null;
  /**
   * Images
   * SOP instances, current first, where two single images were aligned in the plane.
   */
  images?: [string, string] | null;
  /** Method */
  method: string;
  /** Prior Uid */
  prior_uid: string;
  /** Reason */
  reason: string;
  /** Tests */
  tests: PairTest[];
  /** Verdict */
  verdict: "good" | "care" | "failed";
}

/**
 * AnnotationView
 * What the object says; `at_s` are seconds from the start of its group, none for the whole of it.
 */
export interface AnnotationView {
  /** At S */
  at_s: number[];
  /** Channels */
  channels: number[];
  /** Extent */
  extent: string;
  /** Group */
  group: number | null;
  /** Name */
  name: string;
  /** Text */
  text: string;
  /** Unit */
  unit: string;
  /** Value */
  value: number | null;
}

/**
 * AnnotationsBody
 * All that the caller drew on a study; what is left out is taken back.
 *
 * `version` is that of the annotations as they were loaded; with it, nobody's work is overwritten unseen.
 */
export interface AnnotationsBody {
  /**
   * Key Images
   * @default []
   */
  key_images?: KeyImage[];
  /**
   * Measurements
   * @default []
   */
  measurements?: Measurement[];
  /**
   * Presentations
   * @default []
   */
  presentations?: PresentationInput[];
  /**
   * Version
   * @maxLength 64
   * @default ""
   */
  version?: string;
}

/**
 * AnnotationsSaved
 * What became of it: objects written and taken back, the measurements as computed here, the findings.
 */
export interface AnnotationsSaved {
  /** Findings */
  findings: string[];
  /** Measurements */
  measurements: Measurement[];
  /** Remarks */
  remarks: string[];
  /** Withdrawn Series */
  withdrawn_series: string[];
  /** Written */
  written: Written[];
}

/**
 * AnnotationsView
 * All that is drawn on a study; `version` changes whenever somebody saves.
 */
export interface AnnotationsView {
  draft: DraftView | null;
  /** Key Images */
  key_images: KeyImage[];
  /** Measurements */
  measurements: Measurement[];
  /** Presentations */
  presentations: PresentationOutput[];
  /** Segmentations */
  segmentations: Segmentation[];
  /** Unread */
  unread: Unread[];
  /** Version */
  version: string;
}

/**
 * Area
 * The part of an image that is shown, in image coordinates.
 */
export interface Area {
  /**
   * Bottom Right
   * @maxItems 2
   * @minItems 2
   */
  bottom_right: [number, number];
  /**
   * Top Left
   * @maxItems 2
   * @minItems 2
   */
  top_left: [number, number];
}

/**
 * Asked
 * What is asked for; a migration names no studies.
 */
export interface Asked {
  /** Kind */
  kind: "send" | "retrieve" | "migrate";
  /**
   * Peer
   * @minLength 1
   * @maxLength 64
   */
  peer: string;
  /**
   * Studies
   * @maxItems 1000
   */
  studies?: string[];
  /** Studies Per Hour */
  studies_per_hour?: number | null;
  /**
   * Verify
   * @default false
   */
  verify?: boolean;
}

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
 * BestView
 * The best response and why.
 */
export interface BestView {
  /** Category */
  category: string;
  /** Reasons */
  reasons: RuleApplied[];
  /** Study Uid */
  study_uid: string | null;
}

/**
 * ByModality
 * What is stored of one modality.
 */
export interface ByModality {
  /** Bytes */
  bytes: number;
  /** Instances */
  instances: number;
  /** Modality */
  modality: string;
  /** Studies */
  studies: number;
}

/**
 * ByMonth
 * What came in one month.
 */
export interface ByMonth {
  /** Bytes */
  bytes: number;
  /** Instances */
  instances: number;
  /** Month */
  month: string;
}

/**
 * CandidateView
 * A finding of the prior that the lesion could be; `away_mm` after alignment, null where not aligned.
 */
export interface CandidateView {
  /** Away Mm */
  away_mm: number | null;
  /** Finding Id */
  finding_id: string;
  /** Label */
  label: string;
  long_axis: ValueView | null;
  /** Number */
  number: number;
  /** Study Uid */
  study_uid: string;
  /** Tracking Uid */
  tracking_uid: string;
  volume: ValueView | null;
}

/**
 * CellView
 * One lesion at one time point; without a state nothing was said of it.
 *
 * `counted` is what it adds to the sum, `change_percent` that from baseline.
 */
export interface CellView {
  /** Change Percent */
  change_percent: number | null;
  /** Counted */
  counted: number | null;
  /** Finding Id */
  finding_id: string | null;
  /** Origin */
  origin: "finding" | "person" | "none";
  /** State */
  state: string | null;
  /** Study Uid */
  study_uid: string;
  /** Values */
  values: NumberView[];
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
 *
 * `linked` by alignment, or as a person `said` (same, merged, split, different).
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
  limits: LimitsView | null;
  /** Linked */
  linked: boolean;
  /** Low */
  low: number | null;
  /** Percent */
  percent: number | null;
  /** Reason */
  reason: string;
  /** Said */
  said: string | null;
  /** Said By */
  said_by: string | null;
  /** Statement */
  statement: string | null;
  /** Text */
  text: string;
}

/**
 * ChannelView
 * One channel; values are in `unit`, which is mV for electric potential.
 */
export interface ChannelView {
  /** Calibrated */
  calibrated: boolean;
  /** High Hz */
  high_hz: number | null;
  /** Lead */
  lead: string;
  /** Low Hz */
  low_hz: number | null;
  /** Name */
  name: string;
  /** Notch Hz */
  notch_hz: number | null;
  /** Skew S */
  skew_s: number;
  /** Stated Unit */
  stated_unit: string;
  /** Unit */
  unit: string;
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
 * ClickBody
 * A click in a lesion, or a stroke along its long axis, with the corrections after it; LPS in mm.
 *
 * `diameter_mm` is the length of the stroke. Without `kind` it is guessed from what lies round the click.
 */
export interface ClickBody {
  /**
   * Corrections
   * @maxItems 40
   * @default []
   */
  corrections?: TouchBody[];
  /** Diameter Mm */
  diameter_mm?: number | null;
  /** Kind */
  kind?: string | null;
  /**
   * Points Lps Mm
   * @maxItems 200
   * @minItems 1
   */
  points_lps_mm: [number, number, number][];
  /**
   * Series Uid
   * @maxLength 64
   */
  series_uid: string;
}

/**
 * ClickedView
 * What a click cut out; nothing is kept. `values` by name, `notes` what to know before keeping it.
 */
export interface ClickedView {
  /**
   * Centre Lps Mm
   * @maxItems 3
   * @minItems 3
   */
  centre_lps_mm: [number, number, number];
  /** Kind */
  kind: string;
  /** Label */
  label: string;
  /** Long Axis */
  long_axis: [[number, number, number], [number, number, number]] | null;
  /** Method */
  method: string;
  /** Notes */
  notes: string[];
  /** Series Uid */
  series_uid: string;
  /** Short Axis */
  short_axis: [[number, number, number], [number, number, number]] | null;
  /** Slices */
  slices: SightlineCareLesionsRoutesContourView[];
  /** Sop Uid */
  sop_uid: string;
  /** Values */
  values: Record<string, ValueView>;
}

/**
 * CodeView
 * A coded concept.
 */
export interface CodeView {
  /**
   * Meaning
   * @maxLength 1024
   * @default ""
   */
  meaning?: string;
  /**
   * Scheme
   * @maxLength 1024
   */
  scheme: string;
  /**
   * Value
   * @maxLength 1024
   */
  value: string;
}

/**
 * CoercionView
 * A rule for what comes in: when it holds, and what it sets right.
 */
export interface CoercionView {
  /**
   * Character Set
   * @maxLength 64
   * @default ""
   */
  character_set?: string;
  /**
   * Enabled
   * @default true
   */
  enabled?: boolean;
  /** Fixed */
  fixed?: Record<string, string | null>;
  /**
   * Issuer
   * @maxLength 64
   * @default ""
   */
  issuer?: string;
  /**
   * Kind
   * @maxLength 16
   * @default ""
   */
  kind?: string;
  /**
   * Modality
   * @maxLength 16
   * @default ""
   */
  modality?: string;
  /**
   * Name
   * @minLength 1
   * @maxLength 64
   */
  name: string;
  /**
   * Patient Id Prefix
   * @maxLength 32
   * @default ""
   */
  patient_id_prefix?: string;
  /**
   * Remove Private
   * @default false
   */
  remove_private?: boolean;
  /**
   * Source
   * @maxLength 64
   * @default ""
   */
  source?: string;
}

/**
 * ComparisonView
 * How study and prior were aligned.
 */
export interface ComparisonView {
  grid: GridView | null;
  /** Id */
  id: string;
  /**
   * Images
   * SOP instances, current first, where two single images were aligned in the plane.
   */
  images?: [string, string] | null;
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
 * Completed
 * Whether the study was arriving still.
 */
export interface Completed {
  /** Settled */
  settled: boolean;
}

/**
 * CompletenessView
 * Whether a study is all here, as far as is known.
 */
export interface CompletenessView {
  /** Expected */
  expected: ExpectationView[];
  /** Gaps */
  gaps: number;
  /** Missing */
  missing: number | null;
  /** Received */
  received: ReceiptView[];
  /** Refused */
  refused: RefusalView[];
}

/**
 * ConflictDecision
 * How a conflict is decided.
 */
export interface ConflictDecision {
  /** Decision */
  decision: "keep-held" | "replace" | "store-apart" | "adopt";
  /**
   * Reason
   * @maxLength 1000
   * @default ""
   */
  reason?: string;
}

/**
 * ConflictPage
 * One page; `next` goes into `after`.
 */
export interface ConflictPage {
  /** Items */
  items: ConflictView[];
  /** Next */
  next: string | null;
}

/**
 * ConflictView
 * An object that disagrees with what is held, side by side with it.
 */
export interface ConflictView {
  /** Differs */
  differs: DifferenceView[];
  /** Held */
  held: Record<string, string | null>;
  /** Id */
  id: number;
  /** Kind */
  kind: string;
  /** New */
  new: Record<string, string | null>;
  /** Pixels Differ */
  pixels_differ: boolean | null;
  /** Reason */
  reason: string;
  /**
   * Received At
   * @format date-time
   */
  received_at: string;
  /** Sop Uid */
  sop_uid: string;
  /** Source */
  source: string;
  /** Study Uid */
  study_uid: string;
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
 * CorrectionView
 * A correction: what was done, by whom and why, and whether it was undone.
 */
export interface CorrectionView {
  /**
   * At
   * @format date-time
   */
  at: string;
  /** Author */
  author: string;
  /** Id */
  id: number;
  /** Kind */
  kind: string;
  /** Reason */
  reason: string;
  /** Summary */
  summary: string;
  /** Undone At */
  undone_at: string | null;
}

/**
 * Counted
 * How many objects it was about.
 */
export interface Counted {
  /** Instances */
  instances: number;
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
 * CriterionChoice
 * A criterion to choose.
 */
export interface CriterionChoice {
  /** Name */
  name: string;
  /** Title */
  title: string;
}

/**
 * CriterionView
 * A criterion; `unconfirmed` are its rules that nobody has checked against the publication yet.
 *
 * `asks_of_points` and `asks_of_lesions` are the fields of the plan that it reads; `values` the numbers.
 * The limits of a response (from baseline) and of a progression are in percent of what it adds up.
 */
export interface CriterionView {
  /** Asks Of Lesions */
  asks_of_lesions: string[];
  /** Asks Of Points */
  asks_of_points: string[];
  /** Citation */
  citation: string;
  /** Name */
  name: string;
  /** Progression Percent */
  progression_percent: number | null;
  /** Response Percent */
  response_percent: number | null;
  /** Title */
  title: string;
  /** Unconfirmed */
  unconfirmed: string[];
  /** Values */
  values: string[];
  /** Version */
  version: string;
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
 * DamageList
 * What was found, newest first.
 */
export interface DamageList {
  /** Items */
  items: DamageView[];
  /** Next */
  next?: string | null;
}

/**
 * DamageView
 * Bytes that were not as they should be.
 */
export interface DamageView {
  /**
   * At
   * @format date-time
   */
  at: string;
  /** Id */
  id: number;
  /** Kind */
  kind: string;
  /** Repaired At */
  repaired_at: string | null;
  /** Sop Uid */
  sop_uid: string;
  /** Study */
  study: string;
}

/**
 * Decided
 * Under which UID the object is held now, null when it is in the trash.
 */
export interface Decided {
  /** Sop Uid */
  sop_uid: string | null;
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
 * DescriptionView
 * An overlay as it lies over the series.
 *
 * `shape` is (layer, slice, row, column) of a labelmap and (slice, row, column) of values; the slices are
 * those listed, in this order. Values are NaN where the overlay has none, labels 0. `drawn` are the regions
 * of a structure set with their contours.
 */
export interface DescriptionView {
  /** Algorithm */
  algorithm: string;
  /** Description Url */
  description_url: string | null;
  /** Drawn */
  drawn: DrawnRoiView[];
  /** Dtype */
  dtype: string;
  /** Form */
  form: "segmentation" | "structures" | "dose" | "map" | "series";
  /** Fractional */
  fractional: boolean;
  /** Kind */
  kind: "labelmap" | "contours" | "values";
  /** Label */
  label: string;
  /** Method */
  method: string;
  /** Modality */
  modality: string;
  /** Notes */
  notes: string[];
  /** Quantity */
  quantity: [string, string, string] | null;
  /** Range */
  range: [number, number] | null;
  /** Reason */
  reason: string;
  /** Rois */
  rois: RoiView[];
  /** Segments */
  segments: SegmentView[];
  /** Series Uid */
  series_uid: string;
  /** Shape */
  shape: number[];
  /** Slices */
  slices: SliceView[];
  /** Uid */
  uid: string;
  /** Unit */
  unit: string;
  /** Values Url */
  values_url: string | null;
}

/**
 * DifferenceView
 * An attribute that two objects have different; null where one has it not.
 */
export interface DifferenceView {
  /** Held */
  held: string | null;
  /** Keyword */
  keyword: string;
  /** New */
  new: string | null;
  /** Tag */
  tag: string;
}

/**
 * Disk
 * How large the disk is, and how much of it is free, in bytes.
 */
export interface Disk {
  /** Free */
  free: number;
  /** Total */
  total: number;
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
  window: SightlineCareReadingRoutesWindow | null;
}

/**
 * DraftBody
 * A working copy; `version` is that of the one it was made from, 0 for none.
 */
export interface DraftBody {
  /**
   * Key Images
   * @default []
   */
  key_images?: KeyImage[];
  /**
   * Measurements
   * @default []
   */
  measurements?: Measurement[];
  /**
   * Presentations
   * @default []
   */
  presentations?: PresentationInput[];
  /**
   * Version
   * @min 0
   */
  version: number;
}

/**
 * DraftKept
 * The version to send with the next change.
 */
export interface DraftKept {
  /**
   * Saved At
   * @format date-time
   */
  saved_at: string;
  /** Version */
  version: number;
}

/**
 * DraftView
 * The working copy of the caller: what was sent last, and its version.
 */
export interface DraftView {
  /** Key Images */
  key_images: KeyImage[];
  /** Measurements */
  measurements: Measurement[];
  /** Presentations */
  presentations: PresentationOutput[];
  /**
   * Saved At
   * @format date-time
   */
  saved_at: string;
  /** Version */
  version: number;
}

/**
 * DrawnRoiView
 * A region with its contours.
 */
export interface DrawnRoiView {
  /** Colour */
  colour: string;
  /** Contours */
  contours: number;
  /** Drawn */
  drawn: SightlineCareDisplayRoutesContourView[];
  /** Name */
  name: string;
  /** Number */
  number: number;
  /** Type */
  type: string;
}

/**
 * Echo
 * What came of an echo, in how many ms, and in words.
 */
export interface Echo {
  /** Message */
  message: string;
  /** Ms */
  ms: number;
  /** Ok */
  ok: boolean;
}

/**
 * Edit
 * Change attributes by keyword; null removes one.
 */
export interface Edit {
  /** Changes */
  changes: Record<string, string | null>;
  /** Kind */
  kind: "edit";
  /**
   * Reason
   * @maxLength 1000
   * @default ""
   */
  reason?: string;
  /** Series */
  series?: string | null;
}

/**
 * EventBody
 * A treatment (name, start, stop) or a laboratory value (name, date, value, unit, reference range).
 */
export interface EventBody {
  /**
   * Category
   * @maxLength 256
   * @default ""
   */
  category?: string;
  code?: EventCode | null;
  /**
   * Comparator
   * @maxLength 2
   * @default ""
   */
  comparator?: string;
  /** High */
  high?: number | null;
  /** What an entry is. */
  kind: Kind;
  /** Low */
  low?: number | null;
  /**
   * Name
   * @maxLength 256
   */
  name: string;
  /**
   * Start
   * 2024, 2024-03, 2024-03-05, or a moment with offset.
   * @maxLength 40
   */
  start: string;
  /**
   * Status
   * @maxLength 256
   * @default ""
   */
  status?: string;
  /**
   * Stop
   * 2024, 2024-03, 2024-03-05, or a moment with offset.
   */
  stop?: string | null;
  /**
   * Unit
   * @maxLength 256
   * @default ""
   */
  unit?: string;
  /** Value */
  value?: number | null;
}

/**
 * EventCode
 * A coded concept; `system` is a URI such as ``http://loinc.org``.
 */
export interface EventCode {
  /**
   * Meaning
   * @maxLength 500
   * @default ""
   */
  meaning?: string;
  /**
   * System
   * @maxLength 256
   */
  system: string;
  /**
   * Value
   * @maxLength 64
   */
  value: string;
}

/**
 * EventList
 * The chart of a patient, by date.
 */
export interface EventList {
  /** Items */
  items: EventView[];
  /** Next */
  next?: string | null;
}

/**
 * EventView
 * An entry of the chart and where it is from.
 */
export interface EventView {
  /**
   * Category
   * @maxLength 256
   * @default ""
   */
  category?: string;
  code?: EventCode | null;
  /**
   * Comparator
   * @maxLength 2
   * @default ""
   */
  comparator?: string;
  /**
   * Entered At
   * @format date-time
   */
  entered_at: string;
  /** Entered By */
  entered_by: string;
  /** High */
  high?: number | null;
  /** Id */
  id: string;
  /** What an entry is. */
  kind: Kind;
  /** Low */
  low?: number | null;
  /**
   * Name
   * @maxLength 256
   */
  name: string;
  /** How an entry came here. */
  origin: EntryOrigin;
  /** Reference */
  reference: string;
  /**
   * Start
   * 2024, 2024-03, 2024-03-05, or a moment with offset.
   * @maxLength 40
   */
  start: string;
  /**
   * Status
   * @maxLength 256
   * @default ""
   */
  status?: string;
  /**
   * Stop
   * 2024, 2024-03, 2024-03-05, or a moment with offset.
   */
  stop?: string | null;
  /**
   * Unit
   * @maxLength 256
   * @default ""
   */
  unit?: string;
  /** Value */
  value?: number | null;
}

/**
 * ExpectationView
 * How many objects somebody says there are.
 */
export interface ExpectationView {
  /**
   * At
   * @format date-time
   */
  at: string;
  /** Count */
  count: number | null;
  /** Origin */
  origin: string;
}

/**
 * Failure
 * An instance that did not go over, and why.
 */
export interface Failure {
  /** Reason */
  reason: string;
  /** Sop Uid */
  sop_uid: string;
}

/**
 * FailureList
 * The instances of a transfer that did not go over, at most a thousand.
 */
export interface FailureList {
  /** Items */
  items: Failure[];
  /** Next */
  next?: string | null;
}

/**
 * FilmView
 * A film: what it is packed in and coded by; `codecs` as RFC 6381 has it, to ask a browser with.
 */
export interface FilmView {
  /** Codec */
  codec: string;
  /** Codecs */
  codecs: string;
  /** Columns */
  columns: number;
  /** Container */
  container: string;
  /** Frame Ms */
  frame_ms: number | null;
  /** Frames */
  frames: number;
  /** Media Type */
  media_type: string;
  /** Rows */
  rows: number;
  /** Size */
  size: number;
  /** Transfer Syntax */
  transfer_syntax: string;
  /** Url */
  url: string;
}

/**
 * FindBody
 * What is asked of a peer: keys by keyword, values as DICOM matches them.
 */
export interface FindBody {
  /** Keys */
  keys?: Record<string, string>;
  /**
   * Level
   * @default "study"
   */
  level?: "patient" | "study" | "series" | "instance";
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
 * Found
 * What a peer answered, in DICOM JSON.
 */
export interface Found {
  /** Items */
  items: Record<string, any>[];
  /** Next */
  next?: string | null;
}

/**
 * Graphic
 * Something drawn over an image without being measured; a text hangs on its first point.
 */
export interface Graphic {
  /**
   * Closed
   * @default false
   */
  closed?: boolean;
  /** Kind */
  kind: "polyline" | "point" | "text" | "circle" | "ellipse";
  /** Points */
  points: [number, number][];
  /**
   * Text
   * @default ""
   */
  text?: string;
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

/**
 * GroupView
 * Channels that were sampled together; `problem` says why there are no values, else it is empty.
 */
export interface GroupView {
  /** Channels */
  channels: ChannelView[];
  /** Frequency Hz */
  frequency_hz: number;
  /** Label */
  label: string;
  /** Number */
  number: number;
  /** Offset Ms */
  offset_ms: number;
  /** Originality */
  originality: string;
  /** Problem */
  problem: string;
  /** Samples */
  samples: number;
  /** Stated Samples */
  stated_samples: number;
}

/** HTTPValidationError */
export interface HTTPValidationError {
  /** Detail */
  detail?: ValidationError[];
}

/**
 * HangingMatch
 * Which studies; what is empty or null does not matter, and a word counts as much as a body part.
 */
export interface HangingMatch {
  /**
   * Body Parts
   * @maxItems 16
   * @default []
   */
  body_parts?: string[];
  /** Laterality */
  laterality?: "R" | "L" | null;
  /**
   * Modalities
   * @maxItems 16
   * @default []
   */
  modalities?: string[];
  /**
   * How many earlier studies there must be, and may be.
   * @default {"least":0}
   */
  priors?: PriorCount;
  /**
   * Words
   * @maxItems 16
   * @default []
   */
  words?: string[];
}

/**
 * HangingPane
 * One place of a stage: which series of which study, and how it is shown.
 *
 * `study` is 0 for the current one, 1 for the chosen prior, 2 for the one before. A pane without a series
 * stays empty. `side` is the edge that the image is pushed against; panes of one `link` move together.
 */
export interface HangingPane {
  /** Colour Map */
  colour_map?: string | null;
  fusion?: SeriesSelector | null;
  /** Invert */
  invert?: boolean | null;
  /** Link */
  link?: string | null;
  projection?: SlabProjection | null;
  /**
   * Scale
   * @default "fit"
   */
  scale?: "fit" | "same" | "actual";
  series: SeriesSelector | null;
  /**
   * Show
   * @default "stack"
   */
  show?: "stack" | "axial" | "sagittal" | "coronal" | "volume";
  /** Side */
  side?: "left" | "right" | null;
  /**
   * Study
   * @min 0
   * @max 8
   * @default 0
   */
  study?: number;
  /** Window */
  window?: (WindowLevels | WindowPreset) | null;
}

/**
 * HangingProtocol
 * A hanging protocol: for which studies, and the stages that a reader steps through.
 */
export interface HangingProtocol {
  /**
   * Description
   * @maxLength 400
   * @default ""
   * @pattern ^[^\x00-\x1f\x7f-\x9f]*$
   */
  description?: string;
  /**
   * Id
   * @minLength 1
   * @maxLength 64
   * @pattern ^[a-z0-9][a-z0-9-]*$
   */
  id: string;
  /** Which studies; what is empty or null does not matter, and a word counts as much as a body part. */
  match: HangingMatch;
  /**
   * Name
   * @minLength 1
   * @maxLength 80
   * @pattern ^[^\x00-\x1f\x7f-\x9f]*$
   */
  name: string;
  /**
   * Stages
   * @maxItems 12
   */
  stages: HangingStage[];
}

/**
 * HangingStage
 * Panes row by row, from the top left.
 */
export interface HangingStage {
  /**
   * Columns
   * @min 1
   * @max 4
   */
  columns: number;
  /**
   * Name
   * @minLength 1
   * @maxLength 80
   * @pattern ^[^\x00-\x1f\x7f-\x9f]*$
   */
  name: string;
  /**
   * Panes
   * @maxItems 16
   */
  panes: HangingPane[];
  /**
   * Rows
   * @min 1
   * @max 4
   */
  rows: number;
}

/**
 * HeldPatient
 * Who a study is of; `id` is opaque.
 */
export interface HeldPatient {
  /** Birth Date */
  birth_date: string;
  /** Id */
  id: string;
  /** Issuer */
  issuer: string;
  /** Name */
  name: string;
  /** Patient Id */
  patient_id: string;
  /** Sex */
  sex: string;
}

/**
 * HeldSeries
 * A series, and the instance numbers that are not there.
 */
export interface HeldSeries {
  /** Body Part */
  body_part: string;
  /** Bytes */
  bytes: number;
  /** Description */
  description: string;
  /** Frame Count */
  frame_count: number;
  /** Gaps */
  gaps: [number, number][];
  /** Instance Count */
  instance_count: number;
  /** Modality */
  modality: string;
  /** Number */
  number: number | null;
  /** Transfer Syntaxes */
  transfer_syntaxes: string[];
  /** Uid */
  uid: string;
}

/**
 * HeldStudy
 * A study that can be a time point.
 */
export interface HeldStudy {
  /**
   * Date
   * @format date
   */
  date: string;
  /** Exam */
  exam: string;
  /** Modality */
  modality: string;
  /** Uid */
  uid: string;
}

/**
 * HoldView
 * Who put a study under legal hold, when and why.
 */
export interface HoldView {
  /**
   * At
   * @format date-time
   */
  at: string;
  /** By */
  by: string;
  /** Reason */
  reason: string;
}

/**
 * Holding
 * Why a study must be kept.
 */
export interface Holding {
  /**
   * Reason
   * @maxLength 1000
   * @default ""
   */
  reason?: string;
}

/**
 * Images
 * How many images are here, `expected` when the sender said so; `gaps` counts numbers in between.
 */
export interface Images {
  /** Expected */
  expected: number | null;
  /** Gaps */
  gaps: number;
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
 * Judgement
 * A person's word on one lesion at one time point; what is left out follows the kept finding.
 *
 * Numbers replace those of the finding and have no interval of their own.
 */
export interface Judgement {
  /** Density Hu */
  density_hu?: number | null;
  /** Grew */
  grew?: boolean | null;
  /**
   * Into
   * @maxItems 8
   * @default []
   */
  into?: string[];
  /** Long Axis Mm */
  long_axis_mm?: number | null;
  /**
   * New Nodule
   * @default false
   */
  new_nodule?: boolean;
  /** Short Axis Mm */
  short_axis_mm?: number | null;
  /** State */
  state?:
    | "measured"
    | "too-small"
    | "absent"
    | "present"
    | "progressed"
    | "equivocal"
    | "not-assessable"
    | "split"
    | "merged"
    | null;
  /** Sul Peak */
  sul_peak?: number | null;
  /** Tlg G */
  tlg_g?: number | null;
  /** Viable Mm */
  viable_mm?: number | null;
  /** Volume Mm3 */
  volume_mm3?: number | null;
}

/**
 * Kept
 * The finding that was made.
 */
export interface Kept {
  /** Finding Id */
  finding_id: string;
}

/**
 * KeyImage
 * An image that matters, and why.
 */
export interface KeyImage {
  /**
   * Frame
   * @default 1
   */
  frame?: number;
  /**
   * Note
   * @default ""
   */
  note?: string;
  /** Series Uid */
  series_uid: string;
  /** Sop Uid */
  sop_uid: string;
  source?: Origin | null;
}

/**
 * LeftOut
 * A kept lesion or a study that is no part of the plan.
 */
export interface LeftOut {
  /** Label */
  label: string;
  /** Uid */
  uid: string;
}

/**
 * LesionChange
 * What became of a lesion between two studies; percent is of volume, with its 95 % interval.
 */
export interface LesionChange {
  /** Date */
  date: string;
  /** Days */
  days: number;
  /** High */
  high: number | null;
  /** Kind */
  kind: string;
  /** Low */
  low: number | null;
  /** Percent */
  percent: number | null;
  /** Prior Uid */
  prior_uid: string;
  /** Reason */
  reason: string;
  /** Study Uid */
  study_uid: string;
  /** Text */
  text: string;
}

/**
 * LesionLine
 * One lesion through time, oldest first; `label`, `kind` and `state` are those of the newest finding.
 *
 * `organ` is the one that kind and label name, `other` where they name none.
 */
export interface LesionLine {
  /** Changes */
  changes: LesionChange[];
  /** Kind */
  kind: string;
  /** Label */
  label: string;
  /** Modalities */
  modalities: string[];
  /** Organ */
  organ: string;
  /** Points */
  points: LesionPoint[];
  /** Regions */
  regions: string[];
  /** Where a finding stands between the model's word and the report. */
  state: State;
  /** Tracking Uid */
  tracking_uid: string;
}

/**
 * LesionPoint
 * A lesion at one date: every value measured of it, and whose word it is.
 */
export interface LesionPoint {
  /** By Model */
  by_model: boolean;
  /** Date */
  date: string;
  /** Finding Id */
  finding_id: string;
  /** Source */
  source: string;
  /** Where a finding stands between the model's word and the report. */
  state: State;
  /** Study Uid */
  study_uid: string;
  /** Values */
  values: Record<string, Quantity>;
}

/**
 * LesionRow
 * One lesion through the time points; `shown` are the quantities that the criterion goes by.
 */
export interface LesionRow {
  /** Best Percent */
  best_percent: number | null;
  /** Cells */
  cells: CellView[];
  /** Code */
  code: string;
  /** Label */
  label: string;
  /** Organ */
  organ: string;
  /** Role */
  role: "target" | "non-target" | "new";
  /** Shown */
  shown: string[];
  /** Tracking Uid */
  tracking_uid: string;
}

/**
 * LimitsView
 * What repeat measurements may differ by (%), for which sizes and slices, and by whose figure.
 */
export interface LimitsView {
  /** Added */
  added: string[];
  /** High */
  high: number;
  /** Low */
  low: number;
  /** Max Slice Mm */
  max_slice_mm: number;
  /** Quantity */
  quantity: string;
  /** Size High Mm */
  size_high_mm: number | null;
  /** Size Low Mm */
  size_low_mm: number;
  /** Slice Mm */
  slice_mm: number;
  /** Source */
  source: string;
}

/**
 * LinkBody
 * What findings of two studies are to each other, by id.
 *
 * One earlier and one later are the same or different lesions; several earlier merged into one; one earlier
 * split into several later ones.
 */
export interface LinkBody {
  /**
   * Earlier
   * @maxItems 20
   * @minItems 1
   */
  earlier: string[];
  /** What a person can say of findings of two studies. */
  identity: Identity;
  /**
   * Later
   * @maxItems 20
   * @minItems 1
   */
  later: string[];
}

/**
 * Linked
 * Under which name it can be taken back.
 */
export interface Linked {
  /** Statement */
  statement: string;
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
 * MapAmountView
 * A measured value with UCUM unit, 95 % interval where there is one, and method.
 */
export interface MapAmountView {
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
 * MapClusterView
 * A place that changed beyond noise.
 *
 * `volume` is that of the voxels beyond the threshold, `difference` the mean of current less prior, `peak_z`
 * the largest z with its sign, `q` the p after Benjamini-Hochberg over all clusters of the map.
 */
export interface MapClusterView {
  /**
   * Centre Lps Mm
   * @maxItems 3
   * @minItems 3
   */
  centre_lps_mm: [number, number, number];
  /** A measured value with UCUM unit, 95 % interval where there is one, and method. */
  difference: MapAmountView;
  /** Peak Z */
  peak_z: number;
  /** Q */
  q: number;
  /** Sign */
  sign: "increase" | "decrease";
  /** A measured value with UCUM unit, 95 % interval where there is one, and method. */
  volume: MapAmountView;
}

/**
 * MapObjectView
 * One object of a map, kept in the study: a Parametric Map or the Segmentation of what changed.
 *
 * `content` is its Content Label: CHANGE_Z, CHANGE_RATIO, GROWTH_LOGJAC or CHANGE.
 */
export interface MapObjectView {
  /** Content */
  content: string;
  /** Kind */
  kind: "PM" | "SEG";
  /** Label */
  label: string;
  /** Series Uid */
  series_uid: string;
  /** Sop Uid */
  sop_uid: string;
}

/**
 * MapView
 * How the map of change between a study and its prior stands; when it is done, what it found.
 *
 * `series_uid` is the scan that is mapped; `since` is when a map that waits was asked for, or one that is
 * being made was begun. `increases` and `decreases` count clusters beyond noise, at a false discovery rate
 * of 0.05; `clusters` has them, the surest first.
 */
export interface MapView {
  /** Clusters */
  clusters: MapClusterView[];
  /** Decreases */
  decreases: number;
  /** Increases */
  increases: number;
  /** Method */
  method: string;
  /** Notes */
  notes: string[];
  /** Objects */
  objects: MapObjectView[];
  /** Prior Uid */
  prior_uid: string;
  /** Series Uid */
  series_uid: string;
  /** Since */
  since: string | null;
  /** Source */
  source: string;
  /** Status */
  status: "none" | "waiting" | "making" | "done" | "refused" | "failed";
  /** Text */
  text: string;
}

/**
 * Me
 * The person who is logged in, and what they may do.
 */
export interface Me {
  /** Actions */
  actions: string[];
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
 * Measurement
 * Something measured or marked on an image, or in a plane of patient space.
 *
 * `points_px` is None in a reformatted plane, `points_lps_mm` where the image has no place in the patient.
 * `calibration` says what millimetres rest on where no patient geometry gives them.
 */
export interface Measurement {
  /**
   * Calibration
   * @default ""
   */
  calibration?: string;
  /**
   * Frame
   * @default 1
   */
  frame?: number;
  /**
   * Frame Of Reference Uid
   * @default ""
   */
  frame_of_reference_uid?: string;
  /** Kind */
  kind:
    | "length"
    | "calibrated-length"
    | "bidirectional"
    | "angle"
    | "cobb"
    | "ellipse"
    | "rectangle"
    | "freehand"
    | "spline"
    | "probe"
    | "arrow"
    | "text"
    | "segment";
  /**
   * Label
   * @default ""
   */
  label?: string;
  /** Points Lps Mm */
  points_lps_mm?: [number, number, number][] | null;
  /** Points Px */
  points_px?: [number, number][] | null;
  segment?: SegmentReference | null;
  /** Series Uid */
  series_uid: string;
  /**
   * Sop Uid
   * @default ""
   */
  sop_uid?: string;
  source?: Origin | null;
  /** Uid */
  uid: string;
  /** Values */
  values?: Value[];
}

/**
 * Merge
 * Say that two patients (opaque ids) are one.
 */
export interface Merge {
  /**
   * From
   * @maxLength 32
   */
  from: string;
  /**
   * Into
   * @maxLength 32
   */
  into: string;
  /**
   * Reason
   * @maxLength 1000
   * @default ""
   */
  reason?: string;
}

/**
 * Move
 * Give a study to another patient.
 */
export interface Move {
  /** Birth Date */
  birth_date?: string | null;
  /**
   * Issuer
   * @maxLength 64
   * @default ""
   */
  issuer?: string;
  /** Kind */
  kind: "move";
  /** Name */
  name?: string | null;
  /**
   * Patient Id
   * @minLength 1
   * @maxLength 64
   */
  patient_id: string;
  /**
   * Reason
   * @maxLength 1000
   * @default ""
   */
  reason?: string;
  /** Sex */
  sex?: string | null;
}

/**
 * NamedPatient
 * The patient as the source names them.
 */
export interface NamedPatient {
  /** Birth Date */
  birth_date: string;
  /** Issuer */
  issuer: string;
  /** Name */
  name: string;
  /** Patient Id */
  patient_id: string;
  /** Sex */
  sex: string;
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
 * NewUpload
 * A file that wants to come in.
 */
export interface NewUpload {
  /**
   * Name
   * @maxLength 1024
   */
  name: string;
  /**
   * Size
   * @exclusiveMin 0
   */
  size: number;
}

/**
 * NumberView
 * One measured number with its 95 % interval; `assumed`: the interval is a published one.
 */
export interface NumberView {
  /** Assumed */
  assumed: boolean;
  /** High */
  high: number | null;
  /** Low */
  low: number | null;
  /** Method */
  method: string;
  /** Quantity */
  quantity: string;
  /** Unit */
  unit: string;
  /** Value */
  value: number;
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
 * OrderChange
 * What to change of an order; what is left out stays.
 */
export interface OrderChange {
  /** Admission Id */
  admission_id?: string | null;
  /** Filler Number */
  filler_number?: string | null;
  /** Indication */
  indication?: string | null;
  patient?: OrderedPatient | null;
  /** Placer Number */
  placer_number?: string | null;
  precautions?: PrecautionsView | null;
  priority?: Priority | null;
  /** Referring */
  referring?: string | null;
  requested_procedure?: ProcedureView | null;
  /** Requester */
  requester?: string | null;
  /**
   * Steps
   * @maxItems 50
   * @default []
   */
  steps?: StepChange[];
}

/**
 * OrderEntry
 * An order to enter; accession number, study UID and ids are given where they are left out.
 */
export interface OrderEntry {
  /**
   * Accession
   * @maxLength 1024
   * @default ""
   */
  accession?: string;
  /**
   * Accession Issuer
   * @maxLength 1024
   * @default ""
   */
  accession_issuer?: string;
  /**
   * Admission Id
   * @maxLength 1024
   * @default ""
   */
  admission_id?: string;
  /**
   * Filler Number
   * @maxLength 1024
   * @default ""
   */
  filler_number?: string;
  /**
   * Indication
   * @maxLength 10240
   * @default ""
   */
  indication?: string;
  /** Whom the order is for; `name` is a DICOM person name (``Family^Given``), dates are YYYYMMDD. */
  patient: OrderedPatient;
  /**
   * Placer Number
   * @maxLength 1024
   * @default ""
   */
  placer_number?: string;
  /**
   * What the people at the scanner must know beforehand.
   * @default {"alerts":"","allergies":"","pregnancy":"","special_needs":""}
   */
  precautions?: PrecautionsView;
  /**
   * How soon it is wanted: the words of (0040,1003).
   * @default "routine"
   */
  priority?: Priority;
  /**
   * Referring
   * @maxLength 1024
   * @default ""
   */
  referring?: string;
  /** The requested procedure; without an id it gets the accession number. */
  requested_procedure: ProcedureView;
  /**
   * Requester
   * @maxLength 1024
   * @default ""
   */
  requester?: string;
  /**
   * Steps
   * @maxItems 50
   * @minItems 1
   */
  steps: StepEntry[];
  /**
   * Study Uid
   * @maxLength 1024
   * @default ""
   */
  study_uid?: string;
}

/**
 * OrderList
 * One page, newest first; `next` goes into `after`.
 */
export interface OrderList {
  /** Items */
  items: OrderView[];
  /** Next */
  next: string | null;
}

/**
 * OrderSearch
 * What to list: the beginning of a name, or a patient ID or accession number; days are YYYYMMDD.
 */
export interface OrderSearch {
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
   * Since
   * @default ""
   * @pattern ^(\d{8})?$
   */
  since?: string;
  /**
   * Status
   * @default ""
   */
  status?:
    | ""
    | "open"
    | "scheduled"
    | "arrived"
    | "started"
    | "completed"
    | "discontinued"
    | "cancelled";
  /**
   * Text
   * @maxLength 100
   * @default ""
   */
  text?: string;
  /**
   * Until
   * @default ""
   * @pattern ^(\d{8})?$
   */
  until?: string;
}

/**
 * OrderView
 * An order as it is shown.
 */
export interface OrderView {
  /** Accession */
  accession: string;
  /** Accession Issuer */
  accession_issuer: string;
  /** Admission Id */
  admission_id: string;
  /**
   * Changed At
   * @format date-time
   */
  changed_at: string;
  /**
   * Entered At
   * @format date-time
   */
  entered_at: string;
  /** Filler Number */
  filler_number: string;
  /** Id */
  id: string;
  /** Indication */
  indication: string;
  /** Origin */
  origin: string;
  /** Whom the order is for; `name` is a DICOM person name (``Family^Given``), dates are YYYYMMDD. */
  patient: OrderedPatient;
  /** Performed */
  performed: PerformedView[];
  /** Placer Number */
  placer_number: string;
  /** What the people at the scanner must know beforehand. */
  precautions: PrecautionsView;
  /** How soon it is wanted: the words of (0040,1003). */
  priority: Priority;
  /** Referring */
  referring: string;
  /** The requested procedure; without an id it gets the accession number. */
  requested_procedure: ProcedureView;
  /** Requester */
  requester: string;
  /** How an order or one of its steps stands. */
  status: Status;
  /** Steps */
  steps: StepView[];
  /** Study Uid */
  study_uid: string;
}

/**
 * OrderedPatient
 * Whom the order is for; `name` is a DICOM person name (``Family^Given``), dates are YYYYMMDD.
 */
export interface OrderedPatient {
  /**
   * Birth Date
   * @maxLength 1024
   * @default ""
   */
  birth_date?: string;
  /**
   * Issuer
   * @maxLength 1024
   * @default ""
   */
  issuer?: string;
  /**
   * Name
   * @maxLength 1024
   */
  name: string;
  /**
   * Patient Id
   * @maxLength 1024
   */
  patient_id: string;
  /**
   * Sex
   * @maxLength 1024
   * @default ""
   */
  sex?: string;
}

/**
 * Origin
 * Where an annotation was read: the object, who wrote it and when; `own` when the caller wrote it.
 */
export interface Origin {
  /**
   * At
   * @default ""
   */
  at?: string;
  /**
   * By
   * @default ""
   */
  by?: string;
  /**
   * Ours
   * @default false
   */
  ours?: boolean;
  /**
   * Own
   * @default false
   */
  own?: boolean;
  /** Series Uid */
  series_uid: string;
  /** Sop Uid */
  sop_uid: string;
  /**
   * Title
   * @default ""
   */
  title?: string;
}

/**
 * OutOfSight
 * How much is rejected, or in the trash.
 */
export interface OutOfSight {
  /** Bytes */
  bytes: number;
  /** Studies */
  studies: number;
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
 * OverlayView
 * What lies over a series, or cannot: then `reason` says why. `unit` is UCUM, empty until described.
 *
 * `quantity` is the code, scheme and meaning of what a parametric map shows, where it says so.
 */
export interface OverlayView {
  /** Algorithm */
  algorithm: string;
  /** Description Url */
  description_url: string | null;
  /** Form */
  form: "segmentation" | "structures" | "dose" | "map" | "series";
  /** Fractional */
  fractional: boolean;
  /** Kind */
  kind: "labelmap" | "contours" | "values";
  /** Label */
  label: string;
  /** Modality */
  modality: string;
  /** Quantity */
  quantity: [string, string, string] | null;
  /** Range */
  range: [number, number] | null;
  /** Reason */
  reason: string;
  /** Rois */
  rois: RoiView[];
  /** Segments */
  segments: SegmentView[];
  /** Series Uid */
  series_uid: string;
  /** Uid */
  uid: string;
  /** Unit */
  unit: string;
}

/**
 * OwnedProtocol
 * A protocol and whose it is.
 */
export interface OwnedProtocol {
  /** Whose a protocol is, the nearest first. */
  owner: Owner;
  /** A hanging protocol: for which studies, and the stages that a reader steps through. */
  protocol: HangingProtocol;
}

/**
 * OwnedProtocolList
 * Protocols, the nearest to the caller first.
 */
export interface OwnedProtocolList {
  /** Items */
  items: OwnedProtocol[];
  /** Next */
  next?: string | null;
}

/**
 * PairGrid
 * The grid on which a displacement is sampled: LPS, mm; `directions` row-major, columns x, y, z.
 */
export interface PairGrid {
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

/**
 * PairTest
 * One test of an alignment.
 */
export interface PairTest {
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
 * PairView
 * How the alignment of a study with one earlier study stands; `alignment` is there when it is done.
 *
 * `failed` means that it broke on our side: asked for again, it is made again.
 */
export interface PairView {
  alignment: AlignmentView | null;
  /** Prior Series Uid */
  prior_series_uid: string;
  /** Prior Uid */
  prior_uid: string;
  /** Status */
  status: "none" | "waiting" | "done" | "failed";
  /** Study Series Uid */
  study_series_uid: string;
  /** Text */
  text: string;
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
 * One patient through time; `reports_shown` is false for whoever may not read reports.
 */
export interface PatientTimeline {
  /** Lesions */
  lesions: LesionLine[];
  /** Who the study is of; `id` is opaque. */
  patient: SightlineCareReadingViewsPatientView;
  /** Reports Shown */
  reports_shown: boolean;
  /** Simulated */
  simulated: boolean;
  /** Studies */
  studies: StudyMark[];
}

/**
 * PeerBody
 * What is known of a peer, without its title.
 */
export interface PeerBody {
  /**
   * Acse Timeout S
   * @default 30
   */
  acse_timeout_s?: number;
  /** Certificate Sha256 */
  certificate_sha256?: string | null;
  /**
   * Description
   * @maxLength 200
   * @default ""
   */
  description?: string;
  /**
   * Dimse Timeout S
   * @default 60
   */
  dimse_timeout_s?: number;
  /**
   * Enabled
   * @default true
   */
  enabled?: boolean;
  /**
   * Host
   * @maxLength 253
   * @default ""
   */
  host?: string;
  /**
   * Max Associations
   * @default 16
   */
  max_associations?: number;
  /**
   * Max Pdu
   * @default 1048576
   */
  max_pdu?: number;
  /**
   * Network Timeout S
   * @default 300
   */
  network_timeout_s?: number;
  /**
   * Port
   * @exclusiveMin 0
   * @max 65535
   * @default 104
   */
  port?: number;
  /**
   * Priors
   * @default false
   */
  priors?: boolean;
  /** Rate Per S */
  rate_per_s?: number | null;
  /**
   * Retrieve By
   * @default "get"
   */
  retrieve_by?: "get" | "move";
  /**
   * Rights
   * @maxItems 16
   */
  rights?: string[];
  /**
   * Tls
   * @default false
   */
  tls?: boolean;
}

/**
 * PeerList
 * Every peer, by title.
 */
export interface PeerList {
  /** Items */
  items: PeerView[];
  /** Next */
  next?: string | null;
}

/**
 * PeerView
 * A peer as it is kept.
 */
export interface PeerView {
  /**
   * Acse Timeout S
   * @default 30
   */
  acse_timeout_s?: number;
  /** Certificate Sha256 */
  certificate_sha256?: string | null;
  /**
   * Description
   * @maxLength 200
   * @default ""
   */
  description?: string;
  /**
   * Dimse Timeout S
   * @default 60
   */
  dimse_timeout_s?: number;
  /**
   * Enabled
   * @default true
   */
  enabled?: boolean;
  /**
   * Host
   * @maxLength 253
   * @default ""
   */
  host?: string;
  /**
   * Max Associations
   * @default 16
   */
  max_associations?: number;
  /**
   * Max Pdu
   * @default 1048576
   */
  max_pdu?: number;
  /**
   * Network Timeout S
   * @default 300
   */
  network_timeout_s?: number;
  /**
   * Port
   * @exclusiveMin 0
   * @max 65535
   * @default 104
   */
  port?: number;
  /**
   * Priors
   * @default false
   */
  priors?: boolean;
  /** Rate Per S */
  rate_per_s?: number | null;
  /**
   * Retrieve By
   * @default "get"
   */
  retrieve_by?: "get" | "move";
  /**
   * Rights
   * @maxItems 16
   */
  rights?: string[];
  /** Title */
  title: string;
  /**
   * Tls
   * @default false
   */
  tls?: boolean;
}

/**
 * PerformedView
 * What a modality said it did; moments are by its own clock.
 */
export interface PerformedView {
  /** Ended At */
  ended_at: string | null;
  /** Images */
  images: number;
  /** Modality */
  modality: string;
  /** Series */
  series: number;
  /** Started At */
  started_at: string;
  /** Station Ae */
  station_ae: string;
  /** How a performed procedure step stands: the words of (0040,0252). */
  status: Progress;
  /** Steps */
  steps: string[];
  /** Uid */
  uid: string;
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
  mean: QuantityView | null;
  mean_hu: QuantityView | null;
  /** Outline Url */
  outline_url: string;
  peak: QuantityView | null;
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
 * Plan
 * All that a person chose for one patient; the first time point is the baseline.
 *
 * `left_out` are studies and lesions that a person does not want to be asked about again.
 */
export interface Plan {
  /**
   * Criterion
   * @maxLength 64
   * @default "recist-1.1"
   */
  criterion?: string;
  /**
   * Left Out
   * @maxItems 1000
   * @default []
   */
  left_out?: string[];
  /**
   * Lesions
   * @maxItems 200
   * @default []
   */
  lesions?: PlannedLesion[];
  /**
   * Points
   * @maxItems 60
   * @default []
   */
  points?: PlannedPoint[];
  /**
   * What a protocol may choose; nothing said leaves what the criterion itself says.
   * @default {"immunotherapy":false,"sticky_response":false}
   */
  protocol?: Protocol;
  /** Radiotherapy End */
  radiotherapy_end?: string | null;
  /**
   * Treatment
   * @maxLength 120
   * @default ""
   * @pattern ^[^\x00-\x1f\x7f-\x9f]*$
   */
  treatment?: string;
  /** Treatment End */
  treatment_end?: string | null;
  /** Treatment Start */
  treatment_start?: string | null;
}

/**
 * PlanBody
 * What a person chose, and the version that they saw (0 where nothing was ever kept).
 */
export interface PlanBody {
  /**
   * All that a person chose for one patient; the first time point is the baseline.
   *
   * `left_out` are studies and lesions that a person does not want to be asked about again.
   */
  plan: Plan;
  /**
   * Version
   * @min 0
   */
  version: number;
}

/**
 * PlannedLesion
 * One lesion and its part in the evaluation; `judgements` are by the id of the time point.
 */
export interface PlannedLesion {
  /**
   * Component
   * @default "enhancing"
   */
  component?: "enhancing" | "non-enhancing";
  /**
   * Is Node
   * @default false
   */
  is_node?: boolean;
  /**
   * Judgements
   * @default {}
   */
  judgements?: Record<string, Judgement>;
  /**
   * Label
   * @minLength 1
   * @maxLength 120
   * @pattern ^[^\x00-\x1f\x7f-\x9f]*$
   */
  label: string;
  /**
   * Organ
   * @maxLength 120
   * @default ""
   * @pattern ^[^\x00-\x1f\x7f-\x9f]*$
   */
  organ?: string;
  /**
   * Out Of Field
   * @default false
   */
  out_of_field?: boolean;
  /** Pattern */
  pattern?: "typical" | "atypical" | null;
  /** Role */
  role: "target" | "non-target" | "new";
  /**
   * Tracking Uid
   * @minLength 1
   * @maxLength 64
   * @pattern ^[0-9]+(\.[0-9]+)*$
   */
  tracking_uid: string;
}

/**
 * PlannedPoint
 * One time point: the studies it is made of, and what the criterion asks of it.
 *
 * The first study names the time point. Clinical state and steroids are compared with the baseline.
 */
export interface PlannedPoint {
  /** Clinical */
  clinical?: "improved" | "stable" | "worse" | null;
  /** Deauville */
  deauville?: number | null;
  /**
   * New Symptoms
   * @default false
   */
  new_symptoms?: boolean;
  reference?: ReferenceUptake | null;
  /** Slice Mm */
  slice_mm?: number | null;
  /** Spleen Mm */
  spleen_mm?: number | null;
  /** Steroids */
  steroids?: "none" | "less" | "same" | "more" | null;
  /**
   * Studies
   * @maxItems 8
   * @minItems 1
   */
  studies: string[];
  /** Uptake */
  uptake?: "less" | "same" | "more" | null;
}

/**
 * PointColumn
 * One time point; categories are None where nothing can be evaluated.
 *
 * `plausible` are the categories within the intervals of the measurements.
 */
export interface PointColumn {
  /** Category */
  category: string | null;
  /** Change */
  change: number | null;
  /** Change Percent */
  change_percent: number | null;
  /**
   * Date
   * @format date
   */
  date: string;
  /** Day */
  day: number;
  /** Disregarded */
  disregarded: boolean;
  /** Exams */
  exams: string[];
  /** Nadir */
  nadir: number | null;
  /** Nadir Change */
  nadir_change: number | null;
  /** Nadir Change Percent */
  nadir_change_percent: number | null;
  /** New Lesion */
  new_lesion: string | null;
  /** Non Target */
  non_target: string | null;
  /** Plausible */
  plausible: string[];
  /** Provisional */
  provisional: boolean;
  /** Reasons */
  reasons: RuleApplied[];
  /** Study Uid */
  study_uid: string;
  /** Target */
  target: string | null;
  /** Unit */
  unit: string;
  /** Value */
  value: number | null;
}

/**
 * PrecautionsView
 * What the people at the scanner must know beforehand.
 */
export interface PrecautionsView {
  /**
   * Alerts
   * @maxLength 1024
   * @default ""
   */
  alerts?: string;
  /**
   * Allergies
   * @maxLength 1024
   * @default ""
   */
  allergies?: string;
  /**
   * Pregnancy
   * @default ""
   */
  pregnancy?:
    | ""
    | "not pregnant"
    | "possibly pregnant"
    | "definitely pregnant"
    | "unknown";
  /**
   * Special Needs
   * @maxLength 1024
   * @default ""
   */
  special_needs?: string;
  /** Weight Kg */
  weight_kg?: number | null;
}

/**
 * Presentation
 * How images are to be shown: window, turning, part, and what is drawn over them.
 */
export interface PresentationInput {
  area?: Area | null;
  /**
   * Editable
   * @default true
   */
  editable?: boolean;
  /**
   * Flip Horizontal
   * @default false
   */
  flip_horizontal?: boolean;
  /** Graphics */
  graphics?: Graphic[];
  /** Images */
  images: ShownImage[];
  /**
   * Invert
   * @default false
   */
  invert?: boolean;
  /**
   * Label
   * @default ""
   */
  label?: string;
  /**
   * Layer
   * @default ""
   */
  layer?: string;
  /**
   * Rotation
   * @default 0
   */
  rotation?: 0 | 90 | 180 | 270;
  /** Series Uid */
  series_uid: string;
  source?: Origin | null;
  /** Uid */
  uid: string;
  window?: WindowInput | null;
}

/**
 * Presentation
 * How images are to be shown: window, turning, part, and what is drawn over them.
 */
export interface PresentationOutput {
  area?: Area | null;
  /**
   * Editable
   * @default true
   */
  editable?: boolean;
  /**
   * Flip Horizontal
   * @default false
   */
  flip_horizontal?: boolean;
  /** Graphics */
  graphics?: Graphic[];
  /** Images */
  images: ShownImage[];
  /**
   * Invert
   * @default false
   */
  invert?: boolean;
  /**
   * Label
   * @default ""
   */
  label?: string;
  /**
   * Layer
   * @default ""
   */
  layer?: string;
  /**
   * Rotation
   * @default 0
   */
  rotation?: 0 | 90 | 180 | 270;
  /** Series Uid */
  series_uid: string;
  source?: Origin | null;
  /** Uid */
  uid: string;
  window?: SightlineRecordAnnotationsModelWindow | null;
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
 * PriorCount
 * How many earlier studies there must be, and may be.
 */
export interface PriorCount {
  /**
   * Least
   * @min 0
   * @max 8
   * @default 0
   */
  least?: number;
  /** Most */
  most?: number | null;
}

/**
 * PriorElsewhere
 * An earlier study that a source told of: `why` it ranks where it does, the `reason` of its state.
 *
 * `done` and `total` count its images while it comes.
 */
export interface PriorElsewhere {
  /** Date */
  date: string;
  /** Done */
  done: number;
  /** Error */
  error: string;
  /** Exam */
  exam: string;
  /** Images */
  images: number;
  /** Modality */
  modality: string;
  /** The patient as the source names them. */
  patient: NamedPatient;
  /** Reason */
  reason: string;
  /** Source */
  source: string;
  /** State */
  state: "coming" | "held" | "left" | "doubtful" | "dismissed";
  /** Study Uid */
  study_uid: string;
  /** Total */
  total: number;
  /** Under Way */
  under_way: boolean;
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
 * PriorsElsewhere
 * A study's priors held elsewhere; `text` says in a line how it stands.
 */
export interface PriorsElsewhere {
  /** Items */
  items: PriorElsewhere[];
  /** Sources */
  sources: SourceAsked[];
  /** Text */
  text: string;
}

/**
 * ProcedureView
 * The requested procedure; without an id it gets the accession number.
 */
export interface ProcedureView {
  code?: CodeView | null;
  /**
   * Description
   * @maxLength 1024
   * @default ""
   */
  description?: string;
  /**
   * Id
   * @maxLength 1024
   * @default ""
   */
  id?: string;
}

/**
 * Protocol
 * What a protocol may choose; nothing said leaves what the criterion itself says.
 */
export interface Protocol {
  /** Confirm Response */
  confirm_response?: boolean | null;
  /**
   * Immunotherapy
   * @default false
   */
  immunotherapy?: boolean;
  /** Minimum Stable Days */
  minimum_stable_days?: number | null;
  /**
   * Sticky Response
   * @default false
   */
  sticky_response?: boolean;
}

/**
 * Quantity
 * One measured value.
 *
 * `unit` is a UCUM code (``mm``, ``mm3``, ``[hnsf'U]``, ``d``, ``%``); `low` and `high` are the ends of
 * the 95 % interval, None where the method gives none; `method` says how it was measured.
 */
export interface Quantity {
  /** High */
  high?: number | null;
  /** Low */
  low?: number | null;
  /** Method */
  method: string;
  /** Unit */
  unit: string;
  /** Value */
  value: number;
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
 * Quota
 * How much may be kept, null for as much as fits, and how much is, in bytes.
 */
export interface Quota {
  /** Bytes */
  bytes: number | null;
  /** Used */
  used: number;
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
 * ReasonView
 * A reason to reject objects (DICOM CID 7011).
 */
export interface ReasonView {
  /** Code */
  code: string;
  /** Meaning */
  meaning: string;
}

/**
 * ReceiptView
 * What came from one source.
 */
export interface ReceiptView {
  /**
   * First At
   * @format date-time
   */
  first_at: string;
  /** Instances */
  instances: number;
  /** Kind */
  kind: string;
  /**
   * Last At
   * @format date-time
   */
  last_at: string;
  /** Source */
  source: string;
}

/**
 * ReferenceUptake
 * Uptake of normal tissue as SUL in g/ml (PERCIST).
 */
export interface ReferenceUptake {
  /** Aorta Mean */
  aorta_mean?: number | null;
  /** Aorta Sd */
  aorta_sd?: number | null;
  /**
   * Liver Is Diseased
   * @default false
   */
  liver_is_diseased?: boolean;
  /** Liver Mean */
  liver_mean?: number | null;
  /** Liver Sd */
  liver_sd?: number | null;
}

/**
 * RefusalView
 * An object that was not taken, and why.
 */
export interface RefusalView {
  /**
   * At
   * @format date-time
   */
  at: string;
  /** Code */
  code: string;
  /** Reason */
  reason: string;
  /** Source */
  source: string;
}

/**
 * Rejected
 * The rejection note that says so to others.
 */
export interface Rejected {
  /** Note Uid */
  note_uid: string;
}

/**
 * Rejection
 * What to reject and why; without series and instances the whole study.
 */
export interface Rejection {
  /**
   * Code
   * @maxLength 16
   */
  code: string;
  /**
   * Instances
   * @maxItems 10000
   */
  instances?: string[];
  /**
   * Note
   * @maxLength 1000
   * @default ""
   */
  note?: string;
  /**
   * Series
   * @maxItems 10000
   */
  series?: string[];
}

/**
 * Report
 * A page of the studies of a migration, by UID.
 */
export interface Report {
  /** Items */
  items: StudyReportView[];
  /** Next */
  next?: string | null;
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
 * ResponseView
 * A patient's tumour response: a draft, from what a person kept or, until then, from what is proposed.
 */
export interface ResponseView {
  /** Assumed Interval */
  assumed_interval: string;
  best: BestView | null;
  /** Can Undo */
  can_undo: boolean;
  /** Changed At */
  changed_at: string | null;
  /** Changed By */
  changed_by: string | null;
  /** Criteria */
  criteria: CriterionChoice[];
  /**
   * A criterion; `unconfirmed` are its rules that nobody has checked against the publication yet.
   *
   * `asks_of_points` and `asks_of_lesions` are the fields of the plan that it reads; `values` the numbers.
   * The limits of a response (from baseline) and of a progression are in percent of what it adds up.
   */
  criterion: CriterionView;
  /** Kept */
  kept: boolean;
  /** Left Out */
  left_out: LeftOut[];
  /** Lesions */
  lesions: LesionRow[];
  /** Whose response it is; `id` is opaque. */
  patient: WhoseResponse;
  /**
   * All that a person chose for one patient; the first time point is the baseline.
   *
   * `left_out` are studies and lesions that a person does not want to be asked about again.
   */
  plan: Plan;
  /** Points */
  points: PointColumn[];
  /** Problem */
  problem: string | null;
  proposal: Plan | null;
  /** Proposal Reasons */
  proposal_reasons: string[];
  /** Reasons */
  reasons: string[];
  /** Remarks */
  remarks: string[];
  /** Simulated */
  simulated: boolean;
  /** Studies */
  studies: HeldStudy[];
  /** Swimmer */
  swimmer: SpanView[];
  /** Treatment End Day */
  treatment_end_day: number | null;
  /** Treatment Start Day */
  treatment_start_day: number | null;
  /** Undecided */
  undecided: number;
  /** Version */
  version: number;
  /** Warnings */
  warnings: RuleApplied[];
}

/**
 * Restoring
 * What to put back: what was rejected, or what is in the trash.
 */
export interface Restoring {
  /** Kind */
  kind: "rejected" | "trashed";
}

/**
 * RetentionRuleView
 * A rule of how long studies are kept.
 */
export interface RetentionRuleView {
  /**
   * Action
   * @default "propose"
   */
  action?: "trash" | "propose";
  /**
   * Basis
   * @default "received"
   */
  basis?: "received" | "used" | "study-date";
  /**
   * Enabled
   * @default true
   */
  enabled?: boolean;
  /**
   * Keep Days
   * @exclusiveMin 0
   * @max 100000
   */
  keep_days: number;
  /**
   * Label
   * @maxLength 64
   * @default ""
   */
  label?: string;
  /**
   * Modality
   * @maxLength 16
   * @default ""
   */
  modality?: string;
  /**
   * Name
   * @minLength 1
   * @maxLength 64
   */
  name: string;
}

/**
 * RetentionView
 * Until when a study is kept, and by which rule.
 */
export interface RetentionView {
  /** Rule */
  rule: string;
  /**
   * Until
   * @format date-time
   */
  until: string;
}

/**
 * RoiView
 * A region of a structure set, and how many contours it has.
 */
export interface RoiView {
  /** Colour */
  colour: string;
  /** Contours */
  contours: number;
  /** Name */
  name: string;
  /** Number */
  number: number;
  /** Type */
  type: string;
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
  /** How many images are here, `expected` when the sender said so; `gaps` counts numbers in between. */
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
 * RuleApplied
 * One rule as it was applied; not `confirmed`: not checked against its original publication.
 */
export interface RuleApplied {
  /** Compared */
  compared: string;
  /** Confirmed */
  confirmed: boolean;
  /** Outcome */
  outcome: string;
  /** Rule */
  rule: string;
  /** Source */
  source: string;
}

/**
 * RuleBody
 * What a forwarding rule says.
 */
export interface RuleBody {
  /**
   * Enabled
   * @default true
   */
  enabled?: boolean;
  /**
   * To
   * @maxItems 20
   */
  to: string[];
  /** Which studies; an empty field asks nothing, * and ? stand for any characters. */
  when?: WhenBody;
}

/**
 * RuleList
 * Every forwarding rule, by name.
 */
export interface RuleList {
  /** Items */
  items: RuleView[];
  /** Next */
  next?: string | null;
}

/**
 * RuleView
 * A forwarding rule.
 */
export interface RuleView {
  /**
   * Enabled
   * @default true
   */
  enabled?: boolean;
  /** Name */
  name: string;
  /**
   * To
   * @maxItems 20
   */
  to: string[];
  /** Which studies; an empty field asks nothing, * and ? stand for any characters. */
  when?: WhenBody;
}

/**
 * Rules
 * The rules of the archive, in the order in which they are asked.
 */
export interface Rules {
  /**
   * Coercion
   * @maxItems 200
   */
  coercion?: CoercionView[];
  /**
   * Retention
   * @maxItems 200
   */
  retention?: RetentionRuleView[];
}

/**
 * SearchBody
 * Why the sources are asked: the study was opened, or a person wants it now.
 */
export interface SearchBody {
  /**
   * Trigger
   * @default "person"
   */
  trigger?: "opening" | "person";
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
 * Segment
 * One structure of a segmentation.
 */
export interface Segment {
  /**
   * Algorithm
   * @default "manual"
   */
  algorithm?: "manual" | "semiautomatic" | "automatic";
  /**
   * Algorithm Name
   * @default ""
   */
  algorithm_name?: string;
  /**
   * Category
   * @maxItems 3
   * @minItems 3
   * @default ["49755003","SCT","Morphologically Abnormal Structure"]
   */
  category?: [string, string, string];
  /**
   * Colour
   * @default ""
   */
  colour?: string;
  /** Label */
  label: string;
  /** Number */
  number: number;
  /**
   * Tracking Uid
   * @default ""
   */
  tracking_uid?: string;
  /**
   * Type
   * @maxItems 3
   * @minItems 3
   * @default ["52988006","SCT","Lesion"]
   */
  type?: [string, string, string];
}

/**
 * SegmentReference
 * The segment that values were measured on.
 */
export interface SegmentReference {
  /** Number */
  number: number;
  /** Segmentation Uid */
  segmentation_uid: string;
}

/**
 * SegmentView
 * A segment: in `layer`, counted from 0, its voxels have the value `value` (both 0 until described).
 */
export interface SegmentView {
  /** Algorithm */
  algorithm: string;
  /**
   * Category
   * @maxItems 3
   * @minItems 3
   */
  category: [string, string, string];
  /** Colour */
  colour: string;
  /** Label */
  label: string;
  /** Layer */
  layer: number;
  /** Number */
  number: number;
  /** Tracking Uid */
  tracking_uid: string;
  /**
   * Type
   * @maxItems 3
   * @minItems 3
   */
  type: [string, string, string];
  /** Value */
  value: number;
}

/**
 * Segmentation
 * A segmentation as it is described; its voxels are fetched apart.
 */
export interface Segmentation {
  /**
   * Algorithm
   * @default ""
   */
  algorithm?: string;
  /**
   * Fractional
   * @default false
   */
  fractional?: boolean;
  /** Label */
  label: string;
  /** Reference Series Uid */
  reference_series_uid: string;
  /** Segments */
  segments: Segment[];
  /** Series Uid */
  series_uid: string;
  source?: Origin | null;
  /** Uid */
  uid: string;
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
 * SeriesSelector
 * Which series of a study; what is empty or null does not matter.
 *
 * Any of the `words`, and none of the `not_words`, stands in the description of the series. `view` is
 * (0018,5101) of the image, or ``LAT`` for any lateral and ``FRONT`` for PA and AP. `nth` counts what fits.
 */
export interface SeriesSelector {
  /** Contrast */
  contrast?: boolean | null;
  /** Laterality */
  laterality?: "R" | "L" | null;
  /**
   * Modalities
   * @maxItems 16
   * @default []
   */
  modalities?: string[];
  /**
   * Most Images
   * @default false
   */
  most_images?: boolean;
  /**
   * Not Words
   * @maxItems 16
   * @default []
   */
  not_words?: string[];
  /**
   * Nth
   * @min 1
   * @max 20
   * @default 1
   */
  nth?: number;
  /** Plane */
  plane?: "axial" | "sagittal" | "coronal" | null;
  /** View */
  view?: string | null;
  /**
   * Words
   * @maxItems 16
   * @default []
   */
  words?: string[];
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
 * ServerBody
 * A DICOMweb server; a secret that is not given stays as it is while the host stays the same.
 */
export interface ServerBody {
  /**
   * Auth Kind
   * @default "none"
   */
  auth_kind?: "none" | "basic" | "bearer";
  /**
   * Priors
   * @default false
   */
  priors?: boolean;
  /** Secret */
  secret?: string | null;
  /**
   * Url
   * @maxLength 500
   */
  url: string;
}

/**
 * ServerList
 * Every DICOMweb server, by name.
 */
export interface ServerList {
  /** Items */
  items: ServerView[];
  /** Next */
  next?: string | null;
}

/**
 * ServerView
 * A DICOMweb server, without its secret.
 */
export interface ServerView {
  /** Auth Kind */
  auth_kind: "none" | "basic" | "bearer";
  /** Has Secret */
  has_secret: boolean;
  /** Name */
  name: string;
  /** Priors */
  priors: boolean;
  /** Url */
  url: string;
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
 * ShownImage
 * An image a presentation is for; no frames means all.
 */
export interface ShownImage {
  /** Frames */
  frames?: number[] | null;
  /** Sop Uid */
  sop_uid: string;
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
 * SignedMark
 * That the report of a study is signed.
 */
export interface SignedMark {
  /**
   * Signed At
   * @format date-time
   */
  signed_at: string;
  /** Signed By */
  signed_by: string;
  /** Version */
  version: number;
}

/**
 * SlabProjection
 * A slab of `slab_mm` and what is taken through it.
 */
export interface SlabProjection {
  /** Kind */
  kind: "max" | "min" | "average";
  /**
   * Slab Mm
   * @exclusiveMin 0
   * @max 2000
   */
  slab_mm: number;
}

/**
 * SliceView
 * One image of the series, or one frame of it, from 1.
 */
export interface SliceView {
  /** Frame */
  frame: number;
  /** Sop Uid */
  sop_uid: string;
}

/**
 * SourceAsked
 * A source that was asked; `error` says why it has not answered, though it may still be tried again.
 */
export interface SourceAsked {
  /**
   * Due At
   * @format date-time
   */
  due_at: string;
  /** Ended At */
  ended_at: string | null;
  /** Error */
  error: string;
  /** Found */
  found: number;
  /** Source */
  source: string;
  /** State */
  state: "waiting" | "answered" | "failed";
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
 * SpanView
 * A stretch of one category, in days since baseline; no end: not known what came after.
 */
export interface SpanView {
  /** Category */
  category: string;
  /** End Day */
  end_day: number | null;
  /** Start Day */
  start_day: number;
}

/**
 * Split
 * Split series off into a study of their own.
 */
export interface Split {
  /** Kind */
  kind: "split";
  /**
   * Reason
   * @maxLength 1000
   * @default ""
   */
  reason?: string;
  /**
   * Series
   * @maxItems 10000
   */
  series: string[];
}

/**
 * StandingBody
 * The studies of a page of a list.
 */
export interface StandingBody {
  /**
   * Study Uids
   * @maxItems 200
   */
  study_uids: string[];
}

/**
 * StandingView
 * How a study's priors held elsewhere stand: one state, and in `text` all of it.
 *
 * `fetched` of the `wanted` studies have come; `open` wait for a person.
 */
export interface StandingView {
  /** Fetched */
  fetched: number;
  /** Open */
  open: number;
  /** State */
  state: "fetching" | "doubtful" | "failed" | "asking" | "arrived";
  /** Study Uid */
  study_uid: string;
  /** Text */
  text: string;
  /** Wanted */
  wanted: number;
}

/**
 * Standings
 * Studies of which there is something to tell.
 */
export interface Standings {
  /** Items */
  items: StandingView[];
}

/**
 * StepChange
 * What to change of a step, by its id; without a known id a new step.
 */
export interface StepChange {
  /** Description */
  description?: string | null;
  /**
   * Id
   * @maxLength 1024
   * @default ""
   */
  id?: string;
  /** Location */
  location?: string | null;
  /** Modality */
  modality?: string | null;
  /** Performer */
  performer?: string | null;
  protocol?: CodeView | null;
  /** Scheduled At */
  scheduled_at?: string | null;
  /** Station Ae */
  station_ae?: string | null;
  /** Station Name */
  station_name?: string | null;
  status?: Status | null;
}

/**
 * StepEntry
 * A step to schedule; `scheduled_at` is by the clock on the wall of the site.
 */
export interface StepEntry {
  /**
   * Description
   * @maxLength 1024
   * @default ""
   */
  description?: string;
  /**
   * Id
   * @maxLength 1024
   * @default ""
   */
  id?: string;
  /**
   * Location
   * @maxLength 1024
   * @default ""
   */
  location?: string;
  /**
   * Modality
   * @maxLength 1024
   */
  modality: string;
  /**
   * Performer
   * @maxLength 1024
   * @default ""
   */
  performer?: string;
  protocol?: CodeView | null;
  /**
   * Scheduled At
   * @format date-time
   */
  scheduled_at: string;
  /**
   * Station Ae
   * @maxLength 1024
   * @default ""
   */
  station_ae?: string;
  /**
   * Station Name
   * @maxLength 1024
   * @default ""
   */
  station_name?: string;
  /**
   * Status
   * @default "scheduled"
   */
  status?: "scheduled" | "arrived";
}

/**
 * StepView
 * A scheduled step; `scheduled_at` is by the clock on the wall of the site.
 */
export interface StepView {
  /** Description */
  description: string;
  /** Id */
  id: string;
  /** Location */
  location: string;
  /** Modality */
  modality: string;
  /** Performer */
  performer: string;
  protocol: CodeView | null;
  /** Scheduled At */
  scheduled_at: string;
  /** Station Ae */
  station_ae: string;
  /** Station Name */
  station_name: string;
  /** How an order or one of its steps stands. */
  status: Status;
}

/**
 * Storage
 * What is stored and how much room there is.
 */
export interface Storage {
  /** By Modality */
  by_modality: ByModality[];
  /** By Month */
  by_month: ByMonth[];
  /** Bytes */
  bytes: number;
  disk: Disk | null;
  /** Instances */
  instances: number;
  /** How much may be kept, null for as much as fits, and how much is, in bytes. */
  quota: Quota;
  /** How much is rejected, or in the trash. */
  rejected: OutOfSight;
  /** Series */
  series: number;
  /** Studies */
  studies: number;
  /** How much is rejected, or in the trash. */
  trash: OutOfSight;
}

/**
 * StudyDetails
 * All that is known of what is held of a study.
 */
export interface StudyDetails {
  /** Whether a study is all here, as far as is known. */
  completeness: CompletenessView;
  /** Corrections */
  corrections: CorrectionView[];
  hold: HoldView | null;
  /** Labels */
  labels: string[];
  retention: RetentionView | null;
  /** Series */
  series: HeldSeries[];
  /** A study as lists show it; what is missing is null where nobody said how much there is. */
  study: StudyRow;
}

/**
 * StudyMark
 * A study on the patient's page; no report means that none is signed, or that you may not read it.
 */
export interface StudyMark {
  /** Date */
  date: string;
  /** Exam */
  exam: string;
  /** Images */
  images: number;
  /** Modality */
  modality: string;
  /** Regions */
  regions: string[];
  report: SignedMark | null;
  /** Simulated */
  simulated: boolean;
  /** Study Uid */
  study_uid: string;
  /** Time */
  time: string;
}

/**
 * StudyReportView
 * What became of one study of a migration.
 */
export interface StudyReportView {
  /** Conflicting */
  conflicting: number;
  /** Expected */
  expected: number;
  /** Extra */
  extra: number;
  /** Held */
  held: number;
  /** Missing */
  missing: number;
  /** Reason */
  reason: string;
  /** State */
  state: string;
  /** Study Uid */
  study_uid: string;
}

/**
 * StudyRow
 * A study as lists show it; what is missing is null where nobody said how much there is.
 */
export interface StudyRow {
  /** Accession */
  accession: string;
  /** Bytes */
  bytes: number;
  /** Conflicts */
  conflicts: number;
  /** Date */
  date: string;
  /** Description */
  description: string;
  /** Expected */
  expected: number | null;
  /**
   * First Received
   * @format date-time
   */
  first_received: string;
  /** Image Count */
  image_count: number;
  /** Instance Count */
  instance_count: number;
  /** Labels */
  labels: string[];
  /**
   * Last Received
   * @format date-time
   */
  last_received: string;
  /** Missing */
  missing: number | null;
  /** Modalities */
  modalities: string[];
  /** On Hold */
  on_hold: boolean;
  /** Who a study is of; `id` is opaque. */
  patient: HeldPatient;
  /** Series Count */
  series_count: number;
  /** Settled */
  settled: boolean;
  /** Simulated */
  simulated: boolean;
  /** Time */
  time: string;
  /** Uid */
  uid: string;
}

/**
 * StudyRows
 * One page; `next` goes into `after`.
 */
export interface StudyRows {
  /** Items */
  items: StudyRow[];
  /** Next */
  next: string | null;
  /** Total */
  total?: number | null;
}

/**
 * StudySearch
 * What to list; words are looked for in names, IDs, accession numbers and descriptions.
 */
export interface StudySearch {
  /**
   * After
   * @maxLength 200
   * @default ""
   */
  after?: string;
  /**
   * Label
   * @maxLength 64
   * @default ""
   */
  label?: string;
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
   * Since
   * @default ""
   * @pattern ^(\d{8})?$
   */
  since?: string;
  /**
   * State
   * @default ""
   */
  state?: "" | "arriving" | "incomplete" | "held";
  /**
   * Text
   * @maxLength 200
   * @default ""
   */
  text?: string;
  /**
   * Until
   * @default ""
   * @pattern ^(\d{8})?$
   */
  until?: string;
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
  patient: SightlineCareReadingViewsPatientView;
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
 * SystemStatus
 * How the installation is doing.
 */
export interface SystemStatus {
  /** Arriving */
  arriving: number;
  /** How many jobs wait, run and failed. */
  jobs: JobCounts;
  /** Version */
  version: string;
}

/**
 * TaskView
 * How a task stands: `done` of `total` objects, `found` that were not as they should be.
 *
 * `lacks` names the setting without which it cannot begin.
 */
export interface TaskView {
  /** At */
  at: string | null;
  /** Bytes */
  bytes: number;
  /** Done */
  done: number;
  /** Error */
  error: string;
  /** Found */
  found: number;
  /** Lacks */
  lacks: string;
  /** Repaired */
  repaired: number;
  /** State */
  state: string;
  /** Task */
  task: string;
  /** Total */
  total: number;
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
 * TouchBody
 * A correction: points that belong to the lesion, and points that do not; LPS in mm.
 */
export interface TouchBody {
  /**
   * Add
   * @maxItems 200
   * @default []
   */
  add?: [number, number, number][];
  /**
   * Remove
   * @maxItems 200
   * @default []
   */
  remove?: [number, number, number][];
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

/**
 * TransferList
 * A page of transfers, newest first; `next` asks for the page after.
 */
export interface TransferList {
  /** Items */
  items: TransferView[];
  /** Next */
  next?: string | null;
}

/**
 * TransferView
 * A study, or a whole archive, on its way.
 */
export interface TransferView {
  /** Attempts */
  attempts: number;
  /** Bytes */
  bytes: number;
  /**
   * Created At
   * @format date-time
   */
  created_at: string;
  /** Differences */
  differences: Record<string, any> | null;
  /** Done */
  done: number;
  /** Ended At */
  ended_at: string | null;
  /** Error */
  error: string;
  /** Failed */
  failed: number;
  /** Id */
  id: string;
  /** Kind */
  kind: "send" | "retrieve" | "migrate" | "import";
  /** Peer */
  peer: string;
  /** Rate Per S */
  rate_per_s: number | null;
  /** Rule */
  rule: string;
  /** Started At */
  started_at: string | null;
  /** State */
  state: "waiting" | "running" | "done" | "failed" | "cancelled";
  /** Study Uid */
  study_uid: string | null;
  /** Total */
  total: number;
}

/**
 * Trashing
 * Why something goes to the trash; without series and instances the whole study.
 */
export interface Trashing {
  /**
   * Instances
   * @maxItems 10000
   */
  instances?: string[];
  /**
   * Reason
   * @maxLength 1000
   * @default ""
   */
  reason?: string;
  /**
   * Series
   * @maxItems 10000
   */
  series?: string[];
}

/**
 * Unread
 * An object, or a part of one, that could not be read, and why.
 */
export interface Unread {
  /** Kind */
  kind: string;
  /** Reason */
  reason: string;
  /** Sop Uid */
  sop_uid: string;
}

/**
 * UploadResult
 * What became of one object of an upload.
 */
export interface UploadResult {
  /** Name */
  name: string;
  /** Reason */
  reason: string;
  /** Status */
  status: string;
  /** Study Uid */
  study_uid: string | null;
}

/**
 * UploadView
 * How far an upload is; `results` come when it is done.
 */
export interface UploadView {
  /** Id */
  id: string;
  /** Name */
  name: string;
  /** Offset */
  offset: number;
  /** Results */
  results: UploadResult[];
  /** Size */
  size: number;
  /** State */
  state: string;
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
 * Value
 * One measured number: `unit` is a UCUM code, or px and px2 where nothing says how large a pixel is.
 */
export interface Value {
  /**
   * Method
   * @default ""
   */
  method?: string;
  /** Name */
  name: string;
  /** Unit */
  unit: string;
  /** Value */
  value: number;
}

/**
 * ValueView
 * A measured value with unit, 95 % interval and method.
 */
export interface ValueView {
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
 * VersionBody
 * The version that a person saw.
 */
export interface VersionBody {
  /**
   * Version
   * @min 0
   */
  version: number;
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
 * WaveformView
 * A waveform object without its samples.
 */
export interface WaveformView {
  /** Acquired */
  acquired: string;
  /** Annotations */
  annotations: AnnotationView[];
  /** Groups */
  groups: GroupView[];
  /** More Annotations */
  more_annotations: number;
}

/**
 * WhenBody
 * Which studies; an empty field asks nothing, * and ? stand for any characters.
 */
export interface WhenBody {
  /**
   * Description
   * @maxLength 200
   * @default ""
   */
  description?: string;
  /**
   * Label
   * @maxLength 200
   * @default ""
   */
  label?: string;
  /**
   * Modality
   * @maxLength 200
   * @default ""
   */
  modality?: string;
  /**
   * Source
   * @maxLength 200
   * @default ""
   */
  source?: string;
}

/**
 * WhoseResponse
 * Whose response it is; `id` is opaque.
 */
export interface WhoseResponse {
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

/**
 * Window
 * Centre and width in the unit of the image.
 */
export interface WindowInput {
  /** Center */
  center: number;
  /** Width */
  width: number;
}

/**
 * WindowLevels
 * Centre and width in the unit of the images.
 */
export interface WindowLevels {
  /**
   * Center
   * @exclusiveMin -10000000
   * @max 10000000
   */
  center: number;
  /**
   * Width
   * @exclusiveMin 0
   * @max 10000000
   */
  width: number;
}

/**
 * WindowPreset
 * A window by the name of a preset of the viewer.
 */
export interface WindowPreset {
  /**
   * Preset
   * @minLength 1
   * @maxLength 40
   * @pattern ^[^\x00-\x1f\x7f-\x9f]*$
   */
  preset: string;
}

/**
 * WithheldPage
 * One page; `next` goes into `after`.
 */
export interface WithheldPage {
  /** Items */
  items: WithheldView[];
  /** Next */
  next: string | null;
}

/**
 * WithheldView
 * What of a study is rejected or in the trash.
 */
export interface WithheldView {
  /**
   * At
   * @format date-time
   */
  at: string;
  /** Author */
  author: string;
  /** Bytes */
  bytes: number;
  /** Code */
  code: string;
  /** Date */
  date: string;
  /** Description */
  description: string;
  /** Instances */
  instances: number;
  /** Kind */
  kind: string;
  /** Modalities */
  modalities: string[];
  /** Note */
  note: string;
  /** Who a study is of; `id` is opaque. */
  patient: HeldPatient;
  /** Purge After */
  purge_after: string | null;
  /** Study Uid */
  study_uid: string;
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
 * Written
 * An object that was written.
 */
export interface Written {
  /** Kind */
  kind: "SR" | "KO" | "PR" | "SEG";
  /** Series Uid */
  series_uid: string;
  /** Sop Uid */
  sop_uid: string;
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
 * ContourView
 * One contour; `sop_uid` is empty where it lies in no image of the series.
 */
export interface SightlineCareDisplayRoutesContourView {
  /** Closed */
  closed: boolean;
  /** Frame */
  frame: number;
  /** Points Lps Mm */
  points_lps_mm: [number, number, number][];
  /** Sop Uid */
  sop_uid: string;
}

/**
 * ContourView
 * The contours of the lesion in one image, LPS in mm.
 */
export interface SightlineCareLesionsRoutesContourView {
  /** Contours */
  contours: [number, number, number][][];
  /** Sop Uid */
  sop_uid: string;
  /** Z Mm */
  z_mm: number;
}

/**
 * PatientView
 * Who the study is of; `id` is opaque.
 */
export interface SightlineCareReadingViewsPatientView {
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
 * Window
 * Centre and width in the unit of the images.
 */
export interface SightlineCareReadingRoutesWindow {
  /** Center */
  center: number;
  /** Width */
  width: number;
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

/**
 * Window
 * Centre and width in the unit of the image.
 */
export interface SightlineRecordAnnotationsModelWindow {
  /** Center */
  center: number;
  /** Width */
  width: number;
}
