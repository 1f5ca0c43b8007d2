DROP TABLE configuration_change;
