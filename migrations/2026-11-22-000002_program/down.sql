DROP TABLE program_definition;
DROP TABLE program;
