export type { RecordInput, RecordMetadata, StoredRecord } from './model/record.js';
