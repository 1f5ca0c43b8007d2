DROP TABLE allocation;
DROP TABLE lot;
