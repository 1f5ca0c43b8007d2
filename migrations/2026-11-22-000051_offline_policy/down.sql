DROP TABLE offline_policy;
