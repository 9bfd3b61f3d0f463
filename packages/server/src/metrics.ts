/** Metrics for Prometheus; needs the package `prom-client`, which nobody else has to have. */
export { type Metrics, type PrometheusOptions, prometheus } from './observe/prometheus.js';
