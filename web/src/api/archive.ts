/** The archive's part of the JSON API: what is held, where it goes, who may send it, what was ordered. */
import type {
  CoercionView,
  ConflictDecision as Decision,
  Echo,
  Edit,
  Move,
  OrderedPatient,
  OrderView,
  PeerView,
  ProcedureView,
  RetentionRuleView,
  RuleView,
  Split,
  TransferView,
  StudySearch as Wanted,
  WhenBody,
  WithheldView,
} from './schema';

export type {
  Asked as TransferRequest,
  CompletenessView as Completeness,
  ConflictView as Conflict,
  CorrectionView as Correction,
  DamageView as Damage,
  Failure as TransferFailure,
  HeldPatient,
  HeldSeries,
  OrderEntry,
  ReasonView as RejectionReason,
  ServerView as TransferServer,
  Status as OrderStatus,
  StepView as OrderStep,
  Storage,
  StudyDetails as StudyDetail,
  StudyReportView as MigratedStudy,
  StudyRow,
  StudyRows as StudyPage,
  TaskView as UpkeepTask,
  TransferView as Transfer,
  UploadResult,
  UploadView,
} from './schema';

/** One page of anything; `next` asks for the page after. */
export interface Page<T> {
  items: T[];
  next?: string | null;
}

/** What the server fills in where it is left out is always there in its answers. */
export type StudySearch = Required<Wanted>;
export type Peer = Required<PeerView>;
export type TransferRule = Required<RuleView> & { when: Required<WhenBody> };
export type CoercionRule = Required<CoercionView>;
export type RetentionRule = Required<RetentionRuleView>;
export interface ArchiveRules {
  coercion: CoercionRule[];
  retention: RetentionRule[];
}
export type Order = OrderView & {
  patient: Required<OrderedPatient>;
  requested_procedure: Required<ProcedureView>;
};

export type Withheld = Omit<WithheldView, 'kind'> & { kind: 'rejected' | 'trashed' };
export type CorrectionBody = Edit | Move | Split;
export type ConflictDecision = Decision['decision'];
export type EchoResult = Omit<Echo, 'ms'> & { ms: number | null };
export type TransferKind = TransferView['kind'];
export type TransferState = TransferView['state'];

const part = encodeURIComponent;
const study = (uid: string) => `/api/archive/studies/${part(uid)}`;

/** Addresses; names of patients travel in bodies, never here. */
export const archive = {
  search: '/api/archive/studies/search',
  study,
  corrections: (uid: string) => `${study(uid)}/corrections`,
  reject: (uid: string) => `${study(uid)}/reject`,
  trash: (uid: string) => `${study(uid)}/trash`,
  label: (uid: string, label: string) => `${study(uid)}/labels/${part(label)}`,
  hold: (uid: string) => `${study(uid)}/hold`,
  complete: (uid: string) => `${study(uid)}/complete`,
  undoCorrection: (id: number) => `/api/archive/corrections/${id}/undo`,
  merge: '/api/archive/patients/merge',
  withheld: (kind: Withheld['kind'], after: string | null) =>
    `/api/archive/withheld?kind=${kind}&limit=200${after ? `&after=${part(after)}` : ''}`,
  restore: (uid: string) => `/api/archive/withheld/${part(uid)}/restore`,
  emptyTrash: '/api/archive/trash/empty',
  rejectionReasons: '/api/archive/rejection-reasons',
  conflicts: '/api/archive/conflicts',
  decision: (id: number) => `/api/archive/conflicts/${id}/decision`,
  storage: '/api/archive/storage',
  rules: '/api/archive/rules',
  download: (uid: string, form: 'zip' | 'dicomdir' | 'nifti') =>
    `/api/studies/${part(uid)}/download?form=${form}`,
  uploads: '/api/uploads',
  upload: (id: string) => `/api/uploads/${part(id)}`,
  peers: '/api/peers',
  peer: (title: string) => `/api/peers/${part(title)}`,
  echo: (title: string) => `/api/peers/${part(title)}/echo`,
  transfers: (state: string, after: string | null) =>
    `/api/transfers?limit=100${state ? `&state=${part(state)}` : ''}${after ? `&after=${part(after)}` : ''}`,
  newTransfer: '/api/transfers',
  transfer: (id: string, act: 'retry' | 'cancel') => `/api/transfers/${part(id)}/${act}`,
  failures: (id: string) => `/api/transfers/${part(id)}/failures`,
  migrated: (id: string) => `/api/transfers/${part(id)}/studies?limit=500`,
  transferRules: '/api/transfers/rules',
  transferRule: (name: string) => `/api/transfers/rules/${part(name)}`,
  servers: '/api/transfers/servers',
  server: (name: string) => `/api/transfers/servers/${part(name)}`,
  upkeep: '/api/upkeep',
  upkeepTask: (task: string) => `/api/upkeep/${part(task)}`,
  stopTask: (task: string) => `/api/upkeep/${part(task)}/stop`,
  damages: '/api/upkeep/damages',
  orders: '/api/orders',
  searchOrders: '/api/orders/search',
  order: (id: string) => `/api/orders/${part(id)}`,
  cancelOrder: (id: string) => `/api/orders/${part(id)}/cancel`,
} as const;
