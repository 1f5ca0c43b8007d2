DROP TABLE rule_usage;
