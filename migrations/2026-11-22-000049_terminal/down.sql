DROP TABLE terminal;
