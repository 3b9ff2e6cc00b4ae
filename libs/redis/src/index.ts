export { Cluster, Redis } from './client.js';
