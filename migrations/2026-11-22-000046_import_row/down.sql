DROP TABLE import_row;
