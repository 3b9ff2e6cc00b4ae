/**
 * Reads the state of a whole prefix for operators: topics, groups and queues.
 *
 * @module @millrace/admin
 */
export { type AclRole, type AclScope, aclRoles, aclRules } from './acl/acl-rules.js';
export {
  type GroupOffset,
  type GroupSnapshot,
  lagMsOf,
  lagOf,
  type PartitionSnapshot,
  type QueueSnapshot,
  type Snapshot,
  type TopicSnapshot,
  type UnreadObject,
} from './model/snapshot.js';
export { Overview } from './overview.js';
export { isSourceThere, readSources, type Sources } from './store/sources.js';
